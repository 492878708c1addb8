"""LongRoPE: keys that the short factors rotated are of no use once the sequence outgrows them."""

from __future__ import annotations

import pytest
import torch

from zoo_text.phi3.config import Phi3Config
from zoo_text.phi3.model import Phi3ForCausalLM

SCALING = {"type": "longrope", "short_factor": [1.0, 1.2], "long_factor": [2.0, 3.0]}


@pytest.mark.parametrize("settings", [{}, {"num_beams": 3}], ids=["greedy", "beams"])
@pytest.mark.parametrize("prompt", [5, 9])  # outgrown on the way, or by the prompt
def test_growing_out_of_the_short_context(prompt: int, settings: dict[str, int]) -> None:
    torch.manual_seed(0)
    config = Phi3Config(
        vocab_size=60,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        original_max_position_embeddings=8,
        rope_scaling=SCALING,
        pad_token_id=0,
        eos_token_id=None,
        initializer_range=0.3,
    )
    model = Phi3ForCausalLM(config).eval()
    ids = torch.randint(1, 60, (2, prompt))
    mask = torch.ones_like(ids)
    mask[0, :2] = 0
    runs = [
        model.generate(
            ids, attention_mask=mask, max_new_tokens=8, do_sample=False, use_cache=cached, **settings
        )
        for cached in (True, False)
    ]
    assert torch.equal(*runs)
