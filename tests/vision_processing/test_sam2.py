"""Prompts and masks of Segment Anything 2."""

import numpy as np
import pytest
import torch

from zoo_core.errors import ProcessingError
from zoo_vision.processing.sam2 import Sam2ImageProcessor
from zoo_vision.sam2.processor import Sam2Processor

PICTURES = [np.zeros((40, 60, 3), np.uint8), np.zeros((50, 30, 3), np.uint8)]


@pytest.fixture
def processor() -> Sam2Processor:
    return Sam2Processor(Sam2ImageProcessor())


def test_prompts_are_padded_and_stretched(processor: Sam2Processor) -> None:
    points, labels = [[[[10, 20]], [[1, 2]]], [[[30, 20], [5, 5]]]], [[[1], [0]], [[0, 1]]]
    boxes = [[[1, 2, 30, 20]], [[3, 4, 8, 9]]]
    found = processor(PICTURES, None, points, labels, boxes, return_tensors="pt")
    assert found["pixel_values"].shape == (2, 3, 1024, 1024)
    assert found["input_points"].shape == (2, 2, 2, 2)
    assert found["input_points"][0, 0].flatten().tolist() == pytest.approx(
        [170.6667, 512, -10, -10], rel=1e-4
    )
    assert found["input_labels"].tolist() == [[[1, -10], [0, -10]], [[0, 1], [-10, -10]]]
    assert found["input_boxes"][0, 0].tolist() == pytest.approx([17.0667, 51.2, 512, 512], rel=1e-4)


def test_prompts_for_pictures_seen_before(processor: Sam2Processor) -> None:
    found = processor(input_points=[[[[10, 20]]]], original_sizes=[[40, 60]], return_tensors="pt")
    assert sorted(found) == ["input_points", "original_sizes"]
    assert found["input_points"].flatten().tolist() == pytest.approx([170.6667, 512], rel=1e-4)


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ({"input_points": [[[10, 20]], [[30, 20]]]}, "input_points have 3 levels; they must have 4"),
        ({"input_boxes": [[[1, 2, 3, 4], [2, 3, 4, 5]], [[3, 4, 8, 9]]]}, "2, 1 boxes"),
        ({"input_points": [[[[1, 2]]]] * 3}, "3 entries for 2 pictures"),
        ({"input_points": [[[[1, 2]]]] * 2, "input_labels": [[[1, 0]]] * 2}, "a label for each point"),
    ],
)
def test_bad_prompts(processor: Sam2Processor, prompts: dict[str, object], message: str) -> None:
    with pytest.raises(ProcessingError, match=message):
        processor(PICTURES, **prompts)


def test_objects_that_share_no_pixel() -> None:
    masks = torch.stack((torch.full((1, 4, 4), 1.0), torch.full((1, 4, 4), 2.0)))[None]
    masks[:, 0, :, :, :2] = 3.0
    (found,) = Sam2ImageProcessor().post_process_masks(
        masks, [(8, 8)], apply_non_overlapping_constraints=True
    )
    assert found.shape == (2, 1, 8, 8) and not (found[0] & found[1]).any() and (found[0] | found[1]).all()
