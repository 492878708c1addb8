"""X-CLIP: texts that depend on the video, frames that exchange messages, and input that it refuses."""

from __future__ import annotations

import pytest
import torch

from zoo_multimodal.x_clip.config import XCLIPConfig
from zoo_multimodal.x_clip.model import XCLIPModel
from zoo_multimodal.x_clip.processor import XCLIPProcessor

SIZES = {"hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2}
IDS = torch.tensor([[5, 6, 7, 29], [9, 29, 1, 1], [3, 29, 1, 1]])
VIDEOS = torch.rand(2, 4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def model() -> XCLIPModel:
    torch.manual_seed(0)
    vision = {**SIZES, "image_size": 16, "patch_size": 8, "num_frames": 4, "mit_hidden_size": 6}
    vision |= {"mit_num_attention_heads": 2, "mit_intermediate_size": 8, "num_hidden_layers": 2}
    text = {**SIZES, "vocab_size": 30, "max_position_embeddings": 20}
    config = XCLIPConfig(
        text_config=text, vision_config=vision, projection_dim=6, prompt_num_attention_heads=2
    )
    return XCLIPModel(config).eval()


def test_videos_and_texts(model: XCLIPModel) -> None:
    output = model(IDS, VIDEOS)
    assert output.logits_per_video.shape == (2, 3) and output.text_embeds.shape == (2, 3, 6)
    assert not torch.equal(output.text_embeds[0], output.text_embeds[1])
    videos = model.get_video_features(VIDEOS)
    assert torch.allclose(torch.nn.functional.normalize(videos, dim=-1), output.video_embeds, atol=1e-5)
    assert model(IDS[:2], VIDEOS, return_loss=True).loss.isfinite()


def test_a_frame_hears_of_the_others(model: XCLIPModel) -> None:
    changed = VIDEOS.clone()
    changed[0, 3] = 0
    first, second = (model.watch(x)[0].last_hidden_state for x in (VIDEOS, changed))
    assert not torch.equal(first[0], second[0]) and torch.equal(first[4:], second[4:])


def test_wrong_frames(model: XCLIPModel) -> None:
    with pytest.raises(ValueError, match="6 frames are no multiple of num_frames, which is 4"):
        model.get_video_features(VIDEOS[:, :3])
    with pytest.raises(ValueError, match=r"pass pixel_values \(videos, frames"):
        model.get_video_features(VIDEOS[0])


def test_videos_by_either_name() -> None:
    class Frames:
        def __call__(self, frames: object, **_: object) -> dict[str, object]:
            return {"pixel_values": frames}

    processor = XCLIPProcessor(Frames(), object())
    assert processor(videos=["frame"])["pixel_values"] == processor(images=["frame"])["pixel_values"]
