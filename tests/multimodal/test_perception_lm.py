"""PerceptionLM: canvases of tiles, placeholders, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_multimodal.perception_lm.config import PerceptionLMConfig
from zoo_multimodal.perception_lm.model import PerceptionLMForConditionalGeneration
from zoo_multimodal.perception_lm.processor import PerceptionLMProcessor
from zoo_vision.processing.tiles_flexible import PerceptionLMImageProcessorFast, sharpest_canvas
from zoo_vision.processing.videos import PerceptionLMVideoProcessor

IMAGES = PerceptionLMImageProcessorFast(vision_input_type="thumb+tile", tile_size=28, max_num_tiles=4)


def picture(height: int, width: int) -> np.ndarray:
    return np.random.RandomState(height * 7 + width).randint(0, 255, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(  # (height, width), tiles, measured (columns, rows)
    ("size", "most", "canvas"),
    [
        ((30, 30), 6, (2, 2)), ((57, 56), 6, (2, 3)), ((300, 50), 6, (1, 6)), ((90, 200), 6, (2, 1)),
        ((500, 490), 6, (2, 2)), ((100, 150), 6, (3, 2)), ((200, 200), 6, (2, 2)), ((100, 200), 36, (8, 4)),
    ],
)  # fmt: skip
def test_canvas(size: tuple[int, int], most: int, canvas: tuple[int, int]) -> None:
    assert sharpest_canvas(size, most, 56 if size != (100, 200) else 448) == canvas[::-1]


@pytest.mark.parametrize(  # height, width, canvas (columns, rows) of tiles of 8 pixels
    ("height", "width", "most", "canvas"),
    [
        (31, 6, 6, (1, 5)), (28, 5, 9, (1, 6)), (30, 1, 6, (1, 4)), (6, 52, 9, (9, 1)), (24, 43, 36, (7, 4)),
        (30, 10, 6, (1, 2)), (60, 30, 6, (2, 3)), (78, 52, 36, (5, 7)), (27, 75, 4, (2, 1)),
    ],
)  # fmt: skip
def test_canvas_of_long_pictures(height: int, width: int, most: int, canvas: tuple[int, int]) -> None:
    assert sharpest_canvas((height, width), most, 8) == canvas[::-1]


def test_tiles() -> None:
    out = IMAGES([picture(60, 60)] * 2, return_tensors="np")["pixel_values"]
    assert out.shape == (2, 5, 3, 28, 28)
    values = out[0, 0].flatten()[::400].tolist()
    assert values == pytest.approx(
        [-0.027451, -0.0431373, -0.3803922, -0.0901961, -0.2941177, 0.5058824], abs=1e-6
    )
    assert len(IMAGES(picture(60, 60), vision_input_type="vanilla")["pixel_values"][0]) == 1
    with pytest.raises(ProcessingError, match=r"\[5, 4\] tiles"):
        IMAGES([picture(60, 60), picture(20, 60)], return_tensors="pt")
    with pytest.raises(ConfigError, match="must be set"):
        PerceptionLMImageProcessorFast()(picture(60, 60))


def test_placeholders(words: PreTrainedTokenizerFast) -> None:
    videos = PerceptionLMVideoProcessor(size={"height": 28, "width": 28})
    processor = PerceptionLMProcessor(videos, IMAGES, words, patch_size=7)
    images = dict(IMAGES([picture(60, 60), picture(20, 60)]))
    assert processor.replacements("images", images, {}) == [20, 16]
    clip = dict(videos([np.stack([picture(40, 50)] * 3)]))
    assert processor.replacements("videos", clip, {}) == [12]
    with pytest.raises(ProcessingError, match="patch_size is None"):
        PerceptionLMProcessor(videos, IMAGES, words).replacements("images", images, {})
    with pytest.raises(ProcessingError, match="needs text"):
        processor(images=picture(28, 28))


@pytest.fixture
def model() -> PerceptionLMForConditionalGeneration:
    torch.manual_seed(0)
    config = PerceptionLMConfig(
        text_config={
            "vocab_size": 20, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 1, "pad_token_id": 0,
        },
        vision_config={
            "architecture": "vit_pe_core_large_patch14_336",
            "model_args": {"depth": 1, "embed_dim": 16, "num_heads": 2, "img_size": [28, 28]},
        },
        image_token_id=5, video_token_id=6,
    )  # fmt: skip
    return PerceptionLMForConditionalGeneration(config).eval()


def test_left_padding_and_beams(model: PerceptionLMForConditionalGeneration) -> None:
    """One row has an image of two tiles (8 features) and a video of a frame (4), the other an image."""
    ids = torch.tensor([[1] + [5] * 8 + [6] * 4 + [7], [0] * 5 + [1] + [5] * 8])
    pixels, frames = torch.rand(2, 2, 3, 28, 28), torch.rand(1, 1, 3, 28, 28)
    options: dict[str, Any] = {
        "max_new_tokens": 3,
        "num_beams": 2,
        "eos_token_id": None,
        "suppress_tokens": [5, 6],
    }
    media = {"attention_mask": (ids != 0).long(), "pixel_values": pixels, "pixel_values_videos": frames}
    found = model.generate(ids, **media, **options)
    alone = model.generate(ids[1:, 5:], pixel_values=pixels[1:], **options)
    assert found[1, 14:].tolist() == alone[0, 9:].tolist()
    assert found.tolist() == model.generate(ids, **media, **options, use_cache=False).tolist()


def test_bad_input_is_named(model: PerceptionLMForConditionalGeneration) -> None:
    with pytest.raises(ValueError, match=r"not \(images, tiles, channels, height, width\)"):
        model(torch.tensor([[5] * 4]), pixel_values=torch.rand(1, 3, 28, 28))
    with pytest.raises(ValueError, match="3 image placeholder tokens for 4"):
        model(torch.tensor([[5] * 3]), pixel_values=torch.rand(1, 1, 3, 28, 28))
    with pytest.raises(ConfigError, match="vit_pe_core_large_patch14_336 may hold"):
        PerceptionLMForConditionalGeneration(
            PerceptionLMConfig(
                vision_config={"architecture": "vit_pe_core_large_patch14_336", "model_args": {"deep": 1}}
            )
        )
