"""Language models that read images and videos: placeholders, features, and what if they disagree."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_core import AutoConfig, AutoModelForVision2Seq
from zoo_multimodal.llava_onevision.geometry import bounded_extent

TOWER = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 8,
    "patch_size": 4,
}
TEXT = {
    "vocab_size": 32,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}
FEATURES = {"llava_next_video": 2, "llava_onevision": 3, "video_llava": 10}
"""Of a video of two frames."""


def model(kind: str) -> Any:
    tokens = {"image_token_index": 40, "video_token_index": 1, "image_grid_pinpoints": [[8, 8]]}
    config = AutoConfig.for_model(kind, vision_config=TOWER, text_config=TEXT, **tokens)
    return AutoModelForVision2Seq.from_config(config).eval()


@pytest.mark.parametrize(("kind", "features"), FEATURES.items())
def test_a_video_takes_its_placeholders(kind: str, features: int) -> None:
    pixels = torch.rand(1, 2, 3, 8, 8)
    ids = torch.tensor([[5, *[1] * features, 6]])
    whole = model(kind)
    seen = whole(input_ids=ids, pixel_values_videos=pixels).logits
    assert not torch.allclose(seen, whole(input_ids=ids, pixel_values_videos=pixels * 0).logits)
    embedded = whole.get_input_embeddings()(ids)
    with torch.no_grad():
        again = whole(inputs_embeds=embedded, pixel_values_videos=pixels).logits
    assert torch.allclose(seen, again, atol=1e-6)
    with pytest.raises(ValueError, match=f"{features + 1} video placeholder tokens for {features} video"):
        whole(input_ids=torch.tensor([[5, *[1] * (features + 1)]]), pixel_values_videos=pixels)


@pytest.mark.parametrize(
    ("extent", "ratio", "want"),
    [
        ((10, 16), "anyres_max_9", (10, 16)),
        ((10, 20), "anyres_max_1", (2, 5)),
        ((6, 6), "anyres_max_9", (6, 6)),
    ],
)
def test_maps_are_bounded(extent: tuple[int, int], ratio: str, want: tuple[int, int]) -> None:
    assert bounded_extent(extent, 4, ratio) == want


def test_settings_that_no_model_has_are_refused() -> None:
    with pytest.raises(ValueError, match="anyres_max_"):
        AutoConfig.for_model("llava_onevision", vision_aspect_ratio="anyres")
    with pytest.raises(ValueError, match="spatial_pool_mode"):
        AutoConfig.for_model("llava_next_video", spatial_pool_mode="none")
