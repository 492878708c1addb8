"""Llama 4: how images are cut and told in a text, and parts of a whole checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from zoo_core import AutoModelForCausalLM, AutoModelForTextEncoding
from zoo_core.errors import ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.llama4.config import Llama4Config
from zoo_multimodal.llama4.model import Llama4ForConditionalGeneration, Llama4VisionModel
from zoo_multimodal.llama4.processor import Llama4Processor
from zoo_vision.processing.tiles_flexible import Llama4ImageProcessorFast

IMAGES = Llama4ImageProcessorFast(size={"height": 28, "width": 28})


def picture(height: int, width: int) -> np.ndarray:
    return np.random.RandomState(height * 7 + width).randint(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("size", "canvas"), [((28, 28), [1, 1]), ((10, 10), [1, 1]), ((56, 84), [2, 3]), ((140, 20), [5, 1])]
)
def test_canvas(size: tuple[int, int], canvas: list[int]) -> None:
    out = IMAGES(picture(*size), return_tensors="pt")
    rows, columns = canvas
    assert out["aspect_ratios"].tolist() == [canvas]
    assert len(out["pixel_values"]) == rows * columns + (rows * columns > 1)
    assert out["pixel_values"].dtype == torch.bfloat16


def test_values_are_those_of_bfloat16_arithmetic() -> None:
    """A level of 172 becomes (bf16(172 / 255) - 0.5) / 0.5."""
    out = IMAGES(np.full((28, 28, 3), 172, dtype=np.uint8), return_tensors="np")
    assert set(out["pixel_values"].flatten().tolist()) == {0.3515625}


def test_tiles_are_told_row_by_row(words: PreTrainedTokenizerFast) -> None:
    processor = Llama4Processor(IMAGES, words, patch_size=7)
    found = dict(IMAGES([picture(28, 56), picture(28, 28)]))
    tile = "<|patch|>" * 4
    assert processor.replacements("images", found, {}) == [
        f"<|image_start|>{tile}<|tile_x_separator|>{tile}<|tile_y_separator|><|image|>{tile}<|image_end|>",
        f"<|image_start|><|image|>{tile}<|image_end|>",
    ]
    with pytest.raises(ProcessingError, match=r"1 '<\|image\|>' \(1\) for 2 images"):
        processor(images=[picture(28, 28)] * 2, text="what <|image|>")
    with pytest.raises(ProcessingError, match="needs text"):
        processor(images=picture(28, 28))


def test_a_checkpoint_gives_its_language_model(tmp_path: Path) -> None:
    config = Llama4Config(
        text_config={
            "vocab_size": 20, "hidden_size": 16, "intermediate_size": 8, "intermediate_size_mlp": 8,
            "head_dim": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
            "num_local_experts": 2,
        },
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
            "image_size": 8, "patch_size": 2, "projector_input_dim": 8, "projector_output_dim": 8,
            "vision_output_dim": 8,
        },
        image_token_index=5,
    )  # fmt: skip
    whole = Llama4ForConditionalGeneration(config).eval()
    whole.save_pretrained(tmp_path)
    ids = torch.tensor([[1, 6, 7]])
    causal = AutoModelForCausalLM.from_pretrained(tmp_path)
    torch.testing.assert_close(causal(ids).logits, whole(ids).logits)
    encoder = AutoModelForTextEncoding.from_pretrained(tmp_path)
    torch.testing.assert_close(encoder(ids).last_hidden_state, whole.language_model(ids).last_hidden_state)
    tower, pixels = (
        Llama4VisionModel.from_pretrained(tmp_path, config=config.vision_config),
        torch.rand(1, 3, 8, 8),
    )
    features = whole.get_image_features(pixels)
    torch.testing.assert_close(tower(pixels).last_hidden_state, features)
    with pytest.raises(ValueError, match=r"\(tiles, channels, 8, 8\)"):
        whole(torch.tensor([[5] * 4]), pixel_values=torch.rand(1, 3, 16, 16))
