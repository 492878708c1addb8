"""Segment Anything 2 for videos: its checkpoints, its sessions, and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from zoo_core import AutoModelForMaskGeneration, AutoProcessor
from zoo_core.errors import ProcessingError
from zoo_vision.processing.sam2 import Sam2ImageProcessor
from zoo_vision.processing.sam2_video import Sam2VideoVideoProcessor
from zoo_vision.sam2.model import Sam2Model
from zoo_vision.sam2_video.config import Sam2VideoConfig
from zoo_vision.sam2_video.model import Sam2VideoModel
from zoo_vision.sam2_video.processor import Sam2VideoProcessor

CASE = Path(__file__).parents[1] / "parity/videos/sam2_video.json"
VIDEO = np.random.RandomState(0).randint(0, 255, (4, 30, 40, 3)).astype(np.uint8)
POINT: dict[str, Any] = {"obj_ids": 1, "input_points": [[[[20, 15]]]], "input_labels": [[[1]]]}


@pytest.fixture(scope="module")
def model() -> Sam2VideoModel:
    torch.manual_seed(0)
    return Sam2VideoModel(Sam2VideoConfig.from_dict(json.loads(CASE.read_text())["config"])).eval()


@pytest.fixture
def processor() -> Sam2VideoProcessor:
    size = {"height": 64, "width": 64}
    return Sam2VideoProcessor(Sam2ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size))


def test_its_checkpoints_serve_single_images(model: Sam2VideoModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    loaded, info = AutoModelForMaskGeneration.from_pretrained(tmp_path, output_loading_info=True)
    assert type(loaded) is Sam2Model and not any(info.values())
    assert loaded(torch.rand(1, 3, 64, 64)).pred_masks.shape == (1, 1, 3, 16, 16)


def test_frames_that_come_one_by_one(model: Sam2VideoModel, processor: Sam2VideoProcessor) -> None:
    whole, parts = processor.init_video_session(VIDEO), processor.init_video_session()
    processor.add_inputs_to_inference_session(whole, 0, **POINT)
    processor.add_inputs_to_inference_session(parts, 0, **POINT, original_size=(30, 40))
    model(whole, 0)
    followed = list(model.propagate_in_video_iterator(whole))
    assert [out.frame_idx for out in followed] == [0, 1, 2, 3]
    for picture, expected in zip(VIDEO, followed, strict=True):
        frame = processor(picture, return_tensors="pt")["pixel_values"]
        out = model(parts, frame=frame)
        assert torch.allclose(out.pred_masks, expected.pred_masks, atol=2e-3)
    (masks,) = processor.post_process_masks([out.pred_masks], [(30, 40)])
    assert masks.shape == (1, 1, 30, 40) and masks.dtype == torch.bool
    by_video = processor.video_processor.post_process_masks([out.pred_masks], [(30, 40)], [(64, 64)])[0]
    assert (masks == by_video).float().mean() > 0.98


def test_a_session_forgets(model: Sam2VideoModel, processor: Sam2VideoProcessor) -> None:
    session = processor.init_video_session(VIDEO)
    processor.add_inputs_to_inference_session(session, 0, **POINT)
    first = model(session, 0).pred_masks
    session.reset_inference_session()
    assert session.get_obj_num() == 0 and session.num_frames == 4
    processor.add_inputs_to_inference_session(session, 0, **POINT)
    assert torch.equal(model(session, 0).pred_masks, first)


def test_objects_pointed_at_one_after_the_other(model: Sam2VideoModel, processor: Sam2VideoProcessor) -> None:
    session = processor.init_video_session(VIDEO)
    processor.add_inputs_to_inference_session(session, 0, **POINT)
    processor.add_inputs_to_inference_session(session, 0, 2, input_boxes=[[[1, 2, 20, 25]]])
    assert model(session, 0).pred_masks.shape == (2, 1, 16, 16)
    later = {**POINT, "clear_old_inputs": False}
    processor.add_inputs_to_inference_session(session, 0, **later)
    assert session.point_inputs_per_obj[0][0]["point_coords"].shape == (1, 1, 2, 2)
    processor.add_inputs_to_inference_session(session, 0, 1, input_masks=np.ones((1, 30, 40)))
    assert not session.point_inputs_per_obj[0] and session.mask_inputs_per_obj[0][0].mean() == 1


def test_maps_of_frames_are_kept_within_bounds(model: Sam2VideoModel, processor: Sam2VideoProcessor) -> None:
    session = processor.init_video_session(VIDEO, max_vision_features_cache_size=2)
    processor.add_inputs_to_inference_session(session, 0, **POINT)
    model(session, 0)
    list(model.propagate_in_video_iterator(session))
    kept = [session.cache.get_vision_features(i) is not None for i in range(4)]
    assert kept == [False, False, True, True]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"obj_ids": 1}, "pass input_points with input_labels, input_boxes or input_masks"),
        ({"obj_ids": 1, "input_points": [[[[2, 3]]]]}, "belong together"),
        ({**POINT, "obj_ids": [1, 2]}, "2 obj_ids came with 1 points or boxes"),
        ({**POINT, "input_masks": np.ones((30, 40))}, "input_masks exclude"),
        ({"obj_ids": [1, 2], "input_masks": [np.ones((30, 40))]}, "2 obj_ids came with 1 masks"),
        ({"obj_ids": 1, "input_masks": [np.ones((2, 30, 40))]}, r"a mask must be \(height, width\)"),
        ({"obj_ids": 1, "input_boxes": [[[1, 2, 3, 4]]], "clear_old_inputs": False}, "before all points"),
    ],
)
def test_bad_prompts(processor: Sam2VideoProcessor, given: dict[str, Any], message: str) -> None:
    session = processor.init_video_session(VIDEO)
    with pytest.raises(ProcessingError, match=message):
        processor.add_inputs_to_inference_session(session, 0, **given)
    assert not session.obj_with_new_inputs


def test_frames_and_objects_that_are_not_there(model: Sam2VideoModel, processor: Sam2VideoProcessor) -> None:
    with pytest.raises(ProcessingError, match="original_size"):
        processor.add_inputs_to_inference_session(processor.init_video_session(), 0, **POINT)
    session = processor.init_video_session(VIDEO)
    with pytest.raises(ValueError, match="no objects"):
        model(session, 0)
    processor.add_inputs_to_inference_session(session, 9, **POINT)
    with pytest.raises(ValueError, match="frame_idx=9: the session has 4 frames"):
        model(session, 9)
    with pytest.raises(ValueError, match="seen no prompt yet"):
        next(model.propagate_in_video_iterator(session))
    with pytest.raises(ValueError, match="pass the frame_idx"):
        model(session)


def test_processors_are_saved(processor: Sam2VideoProcessor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    own = json.loads((tmp_path / "processor_config.json").read_text())
    assert own.keys() == {"point_pad_value", "processor_class", "target_size"}
    loaded = AutoProcessor.from_pretrained(tmp_path)
    assert type(loaded) is Sam2VideoProcessor and loaded.side == 64
    frames = loaded.video_processor(VIDEO, return_tensors="pt")
    assert frames["pixel_values_videos"].shape == (1, 4, 3, 64, 64)
    assert frames["original_sizes"].tolist() == [[30, 40]]
