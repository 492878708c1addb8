"""Florence-2: features of an image in the prompt, padding, and what is refused."""

from __future__ import annotations

import pytest
import torch

from zoo_multimodal.florence2.config import Florence2Config
from zoo_multimodal.florence2.model import Florence2ForConditionalGeneration


@pytest.fixture
def model() -> Florence2ForConditionalGeneration:
    torch.manual_seed(0)
    text = {
        "model_type": "bart", "vocab_size": 20, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 16,
        "decoder_ffn_dim": 16, "eos_token_id": None, "forced_eos_token_id": None,
    }  # fmt: skip
    vision = {
        "depths": [1], "patch_size": [4], "patch_stride": [4], "patch_padding": [0], "patch_prenorm": [False],
        "embed_dim": [16], "num_heads": [2], "num_groups": [2], "window_size": 3, "projection_dim": 16,
    }  # fmt: skip
    config = Florence2Config(text_config=text, vision_config=vision, image_token_id=4)
    return Florence2ForConditionalGeneration(config).eval()


def test_padding_of_the_prompt_does_not_change_what_is_written(
    model: Florence2ForConditionalGeneration,
) -> None:
    pixels = torch.rand(1, 3, 8, 8)
    ids = torch.tensor([[4, 4, 4, 4, 4, 7, 8]])
    padded = torch.cat((ids, torch.ones(1, 2, dtype=torch.long)), 1)
    mask = torch.tensor([[1] * 7 + [0] * 2])
    short = model.generate(input_ids=ids, pixel_values=pixels, max_new_tokens=4)
    long = model.generate(input_ids=padded, attention_mask=mask, pixel_values=pixels, max_new_tokens=4)
    assert short.tolist() == long.tolist()
    loss = model(ids, pixels, labels=torch.tensor([[5, 6, 7]])).loss
    assert loss > 0


def test_bad_input_is_named(model: Florence2ForConditionalGeneration) -> None:
    with pytest.raises(ValueError, match="2 image placeholder tokens for 5"):
        model(torch.tensor([[4, 4]]), torch.rand(1, 3, 8, 8))
    with pytest.raises(ValueError, match="must be \\(batch, 3, height, width\\)"):
        model(torch.tensor([[4, 4]]), torch.rand(1, 1, 8, 8))
