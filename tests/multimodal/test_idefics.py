"""IDEFICS: which words see which images, padding, and what is refused."""

from __future__ import annotations

import pytest
import torch

from zoo_multimodal.idefics.config import IdeficsConfig
from zoo_multimodal.idefics.model import IdeficsForVisionText2Text

IDS, PIXELS = torch.tensor([[5, 6, 7]]), torch.rand(1, 2, 3, 8, 8)


@pytest.fixture
def model() -> IdeficsForVisionText2Text:
    torch.manual_seed(0)
    config = IdeficsConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        alpha_initializer="ones", eos_token_id=None,
        vision_config={
            "embed_dim": 16, "image_size": 8, "patch_size": 4, "intermediate_size": 16,
            "num_hidden_layers": 1, "num_attention_heads": 2,
        },
    )  # fmt: skip
    return IdeficsForVisionText2Text(config).eval()


def test_left_padding_does_not_change_what_is_written(model: IdeficsForVisionText2Text) -> None:
    seen, pads = torch.tensor([[[0, 0], [1, 0], [1, 1]]]), torch.zeros(1, 2, dtype=torch.long)
    short = model.generate(IDS, pixel_values=PIXELS, image_attention_mask=seen, max_new_tokens=4)
    long = model.generate(
        torch.cat((pads, IDS), 1),
        attention_mask=torch.tensor([[0, 0, 1, 1, 1]]),
        pixel_values=PIXELS,
        image_attention_mask=torch.cat((seen[:, :1], seen[:, :1], seen), 1),
        max_new_tokens=4,
    )
    assert short[:, 3:].tolist() == long[:, 5:].tolist()


def test_words_without_images_are_as_without_any(model: IdeficsForVisionText2Text) -> None:
    hidden = torch.zeros(1, 3, 2, dtype=torch.long)
    states = model.model(IDS, pixel_values=PIXELS, image_attention_mask=hidden).last_hidden_state
    other = model.model(IDS, pixel_values=PIXELS.flip(1) * 2, image_attention_mask=hidden).last_hidden_state
    torch.testing.assert_close(states, other)


def test_bad_input_is_named(model: IdeficsForVisionText2Text) -> None:
    with pytest.raises(ValueError, match="batch, images, channels, height, width"):
        model(IDS, pixel_values=PIXELS[0])
    with pytest.raises(ValueError, match="pass only one of pixel_values"):
        model(IDS, pixel_values=PIXELS, perceiver_embeddings=PIXELS)
