"""Mega in generation: cached or not, padded on the left or not, the tokens are the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_text.mega.config import MegaConfig
from zoo_text.mega.model import MegaForCausalLM

SMALL = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "intermediate_size": 12,
    "ema_projection_size": 3,
    "shared_representation_size": 8,
    "nffn_hidden_size": 10,
    "max_positions": 32,
    "is_decoder": True,
    "bidirectional": False,
    "initializer_range": 0.3,
    "eos_token_id": None,
}


def decoder(**options: Any) -> MegaForCausalLM:
    torch.manual_seed(0)
    return MegaForCausalLM(MegaConfig(**{**SMALL, **options})).eval()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"attention_activation": "laplace"},
        {"use_chunking": True, "chunk_size": 4},
        {"use_chunking": True, "chunk_size": 4, "relative_positional_bias": "simple"},
        {"truncation": 3},
        {"is_decoder": False},
        {"bidirectional": True},
    ],
    ids=str,
)
def test_neither_cache_nor_padding_changes_tokens(options: dict[str, Any]) -> None:
    model = decoder(**options)
    short, long = torch.randint(5, 50, (1, 5)), torch.randint(5, 50, (1, 9))
    padded = torch.cat((torch.nn.functional.pad(short, (4, 0), value=1), long))
    mask = (padded != 1).long()
    alone = [model.generate(ids, max_new_tokens=8) for ids in (short, long)]
    for use_cache in (True, False):
        together = model.generate(padded, attention_mask=mask, max_new_tokens=8, use_cache=use_cache)
        assert torch.equal(together[0, 4:], alone[0][0])
        assert torch.equal(together[1], alone[1][0])


@pytest.mark.parametrize("options", [{}, {"truncation": 3}], ids=str)
def test_a_text_may_be_read_in_pieces(options: dict[str, Any]) -> None:
    model, ids = decoder(**options), torch.randint(5, 50, (2, 11))
    whole = model(ids).logits
    first = model(ids[:, :4], use_cache=True)
    second = model(ids[:, 4:], past_key_values=first.past_key_values)
    torch.testing.assert_close(torch.cat((first.logits, second.logits), 1), whole, atol=1e-5, rtol=1e-4)


def test_a_sequence_beyond_the_biases_is_refused() -> None:
    with pytest.raises(ValueError, match=r"spans 40 positions.*biases for 32"):
        decoder(relative_positional_bias="simple")(torch.ones(1, 40, dtype=torch.long))
