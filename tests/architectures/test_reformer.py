"""Reformer: rows padded on the left are what they are alone; configs that fit no head are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_text.reformer.config import ReformerConfig
from zoo_text.reformer.model import ReformerForMaskedLM, ReformerModel, ReformerModelWithLMHead

SMALL: dict[str, Any] = {
    "vocab_size": 32,
    "hidden_size": 32,
    "feed_forward_size": 32,
    "attention_head_size": 8,
    "num_attention_heads": 2,
    "axial_pos_shape": [8, 8],
    "axial_pos_embds_dim": [16, 16],
    "lsh_attn_chunk_length": 4,
    "local_attn_chunk_length": 6,
    "num_buckets": 4,
    "num_hashes": 3,
    "hash_seed": 0,
}
LENGTHS = (3, 4, 9, 24, 25)


@pytest.mark.parametrize("causal", [True, False], ids=["causal", "both sides"])
@pytest.mark.parametrize("layers", [["lsh"], ["local", "lsh", "local"]], ids="-".join)
def test_rows_of_many_lengths(layers: list[str], causal: bool) -> None:
    torch.manual_seed(0)
    model = ReformerModel(ReformerConfig(**SMALL, attn_layers=layers, is_decoder=causal)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    rows = [torch.randint(1, 32, (n,)) for n in LENGTHS]
    ids = torch.stack([torch.nn.functional.pad(row, (30 - len(row), 0)) for row in rows])
    with torch.no_grad():
        together = model(ids, attention_mask=(ids > 0).long()).last_hidden_state
        for row, got in zip(rows, together, strict=True):
            alone = model(row[None]).last_hidden_state[0]
            assert torch.allclose(got[-len(row) :], alone, atol=1e-5), len(row)


def test_training_needs_no_full_chunks() -> None:
    torch.manual_seed(0)
    model = ReformerModelWithLMHead(ReformerConfig(**SMALL, attn_layers=["local", "lsh"], is_decoder=True))
    ids = torch.randint(1, 32, (2, 13))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(12):
        loss = model.train()(ids, labels=ids).loss
        optimizer.zero_grad()
        loss.backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("head, causal", [(ReformerModelWithLMHead, False), (ReformerForMaskedLM, True)])
def test_a_head_of_the_other_direction_is_refused(head: type[Any], causal: bool) -> None:
    with pytest.raises(ConfigError, match=f"set is_decoder={not causal}"):
        head(ReformerConfig(**SMALL, is_decoder=causal))


@pytest.mark.parametrize("change, message", [
    ({"attn_layers": ["global"]}, 'must be "local" or "lsh"'),
    ({"num_buckets": [2, 3]}, "must be even"),
    ({"lsh_attn_chunk_length": None}, 'attn_layers has "lsh"'),
    ({"axial_pos_embds_dim": [16, 8]}, r"hidden_size \(32\)"),
])  # fmt: skip
def test_impossible_configs(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ReformerConfig(**{**SMALL, **change})
