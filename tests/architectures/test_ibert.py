"""I-BERT: ranges observed in floats serve integers, and training goes on through the rounding."""

from __future__ import annotations

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_text.ibert.config import IBertConfig
from zoo_text.ibert.model import IBertModel

SIZES = {
    "vocab_size": 40,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 20,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.2,
}
IDS = torch.arange(3, 35).view(4, 8)


def observed() -> IBertModel:
    torch.manual_seed(0)
    model = IBertModel(IBertConfig(**SIZES)).train()
    with torch.no_grad():
        model(IDS)
    return model.eval()


def in_integers() -> IBertModel:
    """The same in integers, once the softmax too has observed its range."""
    integers = IBertModel(IBertConfig(quant_mode=True, **SIZES)).train()
    integers.load_state_dict(observed().state_dict())
    with torch.no_grad():
        integers(IDS)
    return integers.eval()


def test_integers_stay_near_floats() -> None:
    model, integers = observed(), in_integers()
    with torch.no_grad():
        expected, found = model(IDS).last_hidden_state, integers(IDS).last_hidden_state
    assert not torch.equal(found, expected)
    assert float((found - expected).norm() / expected.norm()) < 0.1
    whole = integers.layers[0].mlp.fc1.weight_integer
    assert torch.equal(whole, whole.round()) and float(whole.abs().max()) <= 127


def test_gradients_pass_the_rounding() -> None:
    model = IBertModel(IBertConfig(quant_mode=True, force_dequant="softmax", **SIZES))
    model.load_state_dict(observed().state_dict())
    model.train()(IDS).pooler_output.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.isfinite().all()), name
    assert float(model.embeddings.word_embeddings.weight.grad.norm()) > 0


@pytest.mark.parametrize(
    "wrong", [{"hidden_act": "relu"}, {"force_dequant": "all"}, {"position_embedding_type": "relative_key"}]
)
def test_what_integers_cannot_do_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        IBertConfig(**wrong)


@pytest.mark.parametrize("quant_mode", [False, True])
def test_masks(quant_mode: bool) -> None:
    model = in_integers() if quant_mode else observed()
    mask = torch.ones(4, 8, dtype=torch.int64)
    mask[0] = 0  # a row that sees nothing
    mask[1, 5:] = 0
    other = IDS.clone()
    other[1, 5:] = 4
    seen = model(IDS, attention_mask=mask).last_hidden_state
    assert bool(seen.isfinite().all())
    torch.testing.assert_close(model(other, attention_mask=mask).last_hidden_state[1, :5], seen[1, :5])
    causal = torch.ones(8, 8).tril().expand(4, 8, 8)
    first = model(IDS, attention_mask=causal).last_hidden_state[:, 0]
    other = torch.cat((IDS[:, :1], IDS.flip(1)[:, 1:]), dim=1)
    torch.testing.assert_close(model(other, attention_mask=causal).last_hidden_state[:, 0], first)
