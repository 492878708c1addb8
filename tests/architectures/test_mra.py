"""MRA's attention: exact where all blocks are chosen, coarse or left out elsewhere, absent by default."""

from __future__ import annotations

import pytest
import torch

from zoo_text.mra.attention import multiresolution_attention
from zoo_text.mra.config import MraConfig
from zoo_text.mra.model import MraModel

SIZES = {
    "vocab_size": 40,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 128,
}


def exact(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    scores = (query @ key.transpose(2, 3) * 0.25).masked_fill(kept[:, None, None] == 0, -torch.inf)
    return scores.softmax(-1) @ value * kept[:, None, :, None]


@pytest.mark.parametrize("coarse", [True, False])
def test_all_blocks_are_plain_attention(coarse: bool) -> None:
    torch.manual_seed(0)
    query, key, value = torch.randn(3, 2, 3, 70, 16)
    kept = torch.ones(2, 70)
    kept[0, :5] = kept[1, 40:] = 0
    found = multiresolution_attention(query, key, value, kept, scale=0.25, blocks=99, coarse=coarse)
    torch.testing.assert_close(found, exact(query, key, value, kept), atol=1e-5, rtol=1e-4)


def test_means_stand_for_blocks_that_are_not_chosen() -> None:
    torch.manual_seed(0)
    query, key = (torch.randn(1, 1, 2, 16).repeat_interleave(32, dim=2) for _ in range(2))
    value, kept = torch.randn(1, 1, 64, 16), torch.ones(1, 64)
    options = {"scale": 0.25, "blocks": 2, "diagonals": 1}
    coarse = multiresolution_attention(query, key, value, kept, coarse=True, **options)
    torch.testing.assert_close(coarse, exact(query, key, value, kept), atol=1e-5, rtol=1e-4)
    sparse = multiresolution_attention(query, key, value, kept, coarse=False, **options)
    alone = exact(query[:, :, :32], key[:, :, :32], value[:, :, :32], kept[:, :32])
    torch.testing.assert_close(sparse[:, :, :32], alone, atol=1e-5, rtol=1e-4)


def test_the_cpu_leaves_attention_out_unless_asked() -> None:
    torch.manual_seed(0)
    model = MraModel(MraConfig(**SIZES, block_per_row=1, initializer_range=0.5)).eval()
    ids = torch.randint(3, 40, (2, 70))
    other = ids.clone()
    other[:, 60] = 2
    with pytest.warns(UserWarning, match="set_attn_implementation"):
        assert torch.equal(model(ids)[0][:, 0], model(other)[0][:, 0])
    model.set_attn_implementation("eager")
    states = model(ids)[0]
    assert not torch.equal(states[:, 0], model(other)[0][:, 0])
    padded = torch.nn.functional.pad(ids, (0, 20), value=1)
    mask = torch.nn.functional.pad(torch.ones_like(ids), (0, 20))
    torch.testing.assert_close(model(padded, attention_mask=mask)[0][:, :70], states, atol=1e-4, rtol=1e-3)
    states.sum().backward()
    assert model.layers[0].self_attn.q_proj.weight.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="attention_mask"):
        model(ids, attention_mask=torch.ones(2, 70, 70))
