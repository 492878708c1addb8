"""Prompting with a grid of points on crops, and choosing among the masks."""

import numpy as np
import pytest
import torch

from zoo_vision.processing.mask_generation import crop_boxes, from_run_lengths, run_lengths
from zoo_vision.processing.sam import SamImageProcessor

IMAGE = np.zeros((60, 90, 3), np.uint8)


def test_points_of_the_whole_picture() -> None:
    boxes, points, crops, labels = SamImageProcessor().generate_crop_boxes(IMAGE, 1024, points_per_crop=4)
    assert boxes.tolist() == [[0, 0, 90, 60]] and points.shape == (1, 16, 1, 2) and labels.shape == (1, 16, 1)
    assert points[0, 0, 0].tolist() == [128.0, 85.375] and crops[0].shape == IMAGE.shape


def test_crops_overlap_and_cover() -> None:
    covered = np.zeros((60, 90), int)
    for left, top, right, bottom in crop_boxes((60, 90), 1, 0.3)[1:]:
        covered[top:bottom, left:right] += 1
    assert covered.min() == 1 and covered.max() == 4


@pytest.mark.parametrize("first", [0, 1])
def test_run_lengths_return(first) -> None:
    mask = torch.from_numpy(np.random.RandomState(first).rand(7, 5) > 0.5)
    mask[0, 0] = bool(first)
    assert np.array_equal(from_run_lengths(run_lengths(mask)), mask.numpy())


def test_good_masks_without_repeats() -> None:
    logits = torch.full((1, 3, 60, 90), -9.0)
    logits[0, 0, 25:40, 30:50] = 9
    logits[0, 1, 25:40, 30:49] = 9
    logits[0, 2, 26:30, 60:70] = 0.5  # unstable
    quality = torch.tensor([[0.95, 0.9, 0.99]])
    processor = SamImageProcessor()
    codes, scores, boxes = processor.filter_masks(logits, quality, (60, 90), [0, 0, 90, 60])
    assert len(codes) == 2 and boxes.tolist() == [[30, 25, 49, 39], [30, 25, 48, 39]]
    masks, scores, _, _ = processor.post_process_for_mask_generation(codes, scores, boxes, 0.7)
    assert len(masks) == 1 and masks[0].sum() == 15 * 20 and scores.tolist() == pytest.approx([0.95])
