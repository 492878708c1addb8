"""Attention: all implementations agree, masks mean what they say, grouped queries and caches are exact."""

from __future__ import annotations

import pytest
import torch

from zoo_core.errors import ConfigError, MissingDependency
from zoo_core.nn.attention import Attention
from zoo_core.nn.attention_functions import ATTENTION_FUNCTIONS, Scoring, check_implementation
from zoo_core.nn.cache import Cache
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext, Mask, MaskRule, rule_of

RULES = {
    "full": FULL,
    "causal": CAUSAL,
    "window": MaskRule(causal=True, window=3),
    "chunk": MaskRule(causal=True, chunk=4),
    "local": MaskRule(window=2),
}
LEFT = torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1, 1], [1] * 9])


def heads(batch: int = 2, queries: int = 9, keys: int = 9, kv_heads: int = 4) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(batch, h, n, 8) for h, n in ((4, queries), (kv_heads, keys), (kv_heads, keys))]


def mask_of(rule: MaskRule, padding: torch.Tensor | None = None) -> Mask:
    return AttentionContext(torch.zeros(2, 9, 8), padding).mask(rule, 9)


@pytest.mark.parametrize("name", ["sdpa", "flex_attention"])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("padding", [None, LEFT], ids=["whole", "padded"])
@pytest.mark.parametrize("kv_heads", [4, 2, 1])
def test_implementations_agree(name: str, rule: str, padding: torch.Tensor | None, kv_heads: int) -> None:
    query, key, value = heads(kv_heads=kv_heads)
    mask = mask_of(RULES[rule], padding)
    want, weights = ATTENTION_FUNCTIONS["eager"](query, key, value, mask, Scoring(scale=0.3))
    got, none = ATTENTION_FUNCTIONS[name](query, key, value, mask, Scoring(scale=0.3))
    assert none is None and weights is not None
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["eager", "sdpa", "flex_attention"])
@pytest.mark.parametrize("option", ["softcap", "sinks", "bias"])
def test_options_agree_with_the_definition(name: str, option: str) -> None:
    query, key, value = heads()
    extra = {"softcap": 2.0, "sinks": torch.randn(4), "bias": torch.randn(1, 4, 9, 9)}[option]
    got, _ = ATTENTION_FUNCTIONS[name](
        query, key, value, mask_of(CAUSAL), Scoring(scale=0.3, **{option: extra})
    )
    scores = query @ key.transpose(2, 3) * 0.3
    if option == "softcap":
        scores = torch.tanh(scores / 2.0) * 2.0
    if option == "bias":
        scores = scores + extra
    scores = scores.masked_fill(torch.ones(9, 9, dtype=torch.bool).triu(1), -torch.inf)
    if option == "sinks":
        scores = torch.cat((scores, extra.view(1, 4, 1, 1).expand(2, 4, 9, 1)), -1)
    want = scores.softmax(-1)[..., :9] @ value
    torch.testing.assert_close(got, want, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["eager", "sdpa", "flex_attention"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_query_that_may_see_nothing_gets_zeros(name: str, dtype: torch.dtype) -> None:
    query, key, value = (x.to(dtype) for x in heads())
    got, _ = ATTENTION_FUNCTIONS[name](query, key, value, mask_of(CAUSAL, LEFT), Scoring(scale=0.3))
    assert (got[0, :, :3] == 0).all()
    assert torch.isfinite(got).all()


def test_masks_are_composed_once_per_forward() -> None:
    context = AttentionContext(torch.zeros(2, 9, 8), LEFT)
    assert context.mask(CAUSAL, 9) is context.mask(CAUSAL, 9)


def test_a_mask_that_hides_nothing_is_none() -> None:
    assert mask_of(FULL, torch.ones(2, 9)) == Mask()
    assert mask_of(CAUSAL, torch.ones(2, 9)) == Mask(causal=True)


def test_four_dimensional_masks_are_taken_as_given() -> None:
    allowed = torch.rand(2, 1, 9, 9) > 0.3
    assert torch.equal(mask_of(CAUSAL, allowed).allowed, allowed)
    bias = torch.randn(2, 1, 9, 9)
    assert torch.equal(mask_of(CAUSAL, bias).bias, bias)


def test_a_mask_shorter_than_the_cache_is_refused() -> None:
    context = AttentionContext(torch.zeros(1, 2, 8), torch.tensor([[0, 1]]))
    with pytest.raises(ValueError, match="attention_mask covers 2 positions, but 5 are attended to"):
        context.mask(CAUSAL, 5)


@pytest.mark.parametrize("rule", ["causal", "window"])
@pytest.mark.parametrize("steps", [(9,), (5, 4), (1,) * 9, (3, 1, 1, 4)], ids=str)
def test_cached_steps_equal_one_pass(rule: str, steps: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = Attention(32, 4, num_kv_heads=2, rule=RULES[rule], layer_idx=0).eval()
    hidden = torch.randn(2, 9, 32)
    want = layer(hidden, AttentionContext(hidden))
    cache, got = Cache(), []
    for part in hidden.split(steps, dim=1):
        got.append(layer(part, AttentionContext(part, cache=cache)))
    torch.testing.assert_close(torch.cat(got, 1), want, atol=1e-5, rtol=1e-5)
    assert cache.length == 9


def test_unknown_names_say_what_is_known() -> None:
    with pytest.raises(ValueError, match="unknown attn_implementation 'fast'; choose from eager, sdpa"):
        check_implementation("fast")
    with pytest.raises(MissingDependency, match="pip install flash-attn"):
        check_implementation("flash_attention_2")
    with pytest.raises(ConfigError, match="unknown entry 'strided_attention'"):
        rule_of("strided_attention")


def test_cross_attention_needs_a_source() -> None:
    layer = Attention(32, 4, cross=True)
    hidden = torch.randn(1, 2, 32)
    with pytest.raises(ValueError, match="encoder_hidden_states"):
        layer(hidden, AttentionContext(hidden))
