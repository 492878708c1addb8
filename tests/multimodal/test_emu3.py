"""Emu3: images to codes and back, and codes as tokens."""

from __future__ import annotations

import pytest
import torch

from zoo_multimodal.emu3.config import Emu3Config
from zoo_multimodal.emu3.model import END_OF_ROW, Emu3ForConditionalGeneration, code_of


@pytest.fixture
def model() -> Emu3ForConditionalGeneration:
    torch.manual_seed(0)
    text = {"vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    codes = {f"<|visual token{i:06d}|>": 4 + i for i in range(6)}
    config = Emu3Config(
        text_config={**text, "num_key_value_heads": 1, "intermediate_size": 16, "pad_token_id": 0},
        vq_config={
            "codebook_size": 6, "base_channels": 32, "channel_multiplier": [1, 1], "num_res_blocks": 1,
            "hidden_size": 32, "attn_resolutions": [1], "temporal_downsample_factor": 2,
        },
        vocabulary_map={"<image>": 3, END_OF_ROW: 11, **codes},
    )  # fmt: skip
    return Emu3ForConditionalGeneration(config).eval()


def test_images_become_rows_of_tokens_and_images_again(model: Emu3ForConditionalGeneration) -> None:
    assert (code_of("<|visual token000012|>"), code_of("<image>")) == (12, None)
    sizes = torch.tensor([[8, 8], [4, 8]])
    with torch.no_grad():
        tokens = model.model.get_image_tokens(torch.rand(2, 3, 8, 8), sizes)
        assert len(tokens) == 4 * 5 + 2 * 5 and (tokens.view(-1, 5)[:, -1] == 11).all()
        assert model.decode_image_tokens(tokens[None, :20], 4, 4).shape == (1, 3, 8, 8)


def test_images_count_where_they_are_read(model: Emu3ForConditionalGeneration) -> None:
    ids, sizes = torch.tensor([[3] * 6 + [5]]), torch.tensor([[4, 4]])
    pixels = torch.rand(1, 3, 4, 4)
    plain = model(ids).logits
    with pytest.warns(UserWarning, match="reads_images"):
        assert torch.equal(model(ids, pixels, sizes).logits, plain)
    model.reads_images = True
    assert not torch.equal(model(ids, pixels, sizes).logits, plain)
    with pytest.raises(ValueError, match="5 image placeholder tokens for 6"):
        model(ids[:, 1:], pixels, sizes)
