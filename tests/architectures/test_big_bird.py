"""BigBird's blocks."""

from __future__ import annotations

import torch

from zoo_text.big_bird.config import BigBirdConfig
from zoo_text.big_bird.model import BigBirdAttention, BigBirdModel

CONFIG = BigBirdConfig(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=8,
    block_size=2,
    num_random_blocks=1,
    max_position_embeddings=64,
)


def test_training_draws_blocks_for_each_head() -> None:
    attention = BigBirdAttention(CONFIG, 0)
    fixed = attention.eval().copies(10, torch.empty(0))
    assert fixed[0, 0, 4].tolist() == [2, 0, 0, 1, 1, 1, 0, 0, 0, 1]
    drawn = attention.train().copies(10, torch.empty(0))
    assert drawn.shape == (1, 2, 10, 10)
    assert (drawn[:, :, 1:-1].sum(-1) == (fixed[:, :, 1:-1] > 0).sum(-1) + 1).all()
    assert (drawn[:, :, [0, -1]] == 1).all()


def test_the_last_block_may_be_short() -> None:
    model = BigBirdModel(CONFIG).eval()
    ids = torch.arange(31)[None] % 17 + 3
    padded, mask = torch.nn.functional.pad(ids, (0, 1)), torch.ones(1, 32, dtype=torch.long)
    mask[0, -1] = 0
    expected = model(padded, attention_mask=mask).last_hidden_state[:, :31]
    assert torch.allclose(model(ids).last_hidden_state, expected, atol=1e-6)
    assert model.train()(ids).last_hidden_state.shape == (1, 31, 8)
