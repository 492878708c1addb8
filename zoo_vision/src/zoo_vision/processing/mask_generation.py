"""Masks of everything in a picture: a grid of points on crops of it, then the good masks of all (SAM)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo_vision.processing.boxes import suppress

if TYPE_CHECKING:
    import torch

RunLengths = dict[str, Any]


def crop_boxes(size: tuple[int, int], layers: int, overlap: float) -> list[list[int]]:
    """The whole picture and, per layer, twice as many overlapping crops along each side, as corners."""
    height, width = size
    found = [[0, 0, width, height]]
    for layer in range(layers):
        count = 2 ** (layer + 1)
        shared = int(overlap * min(height, width) * (2 / count))
        tall = math.ceil((shared * (count - 1) + height) / count)
        wide = math.ceil((shared * (count - 1) + width) / count)
        for column in range(count):
            for row in range(count):
                left, top = (wide - shared) * column, (tall - shared) * row
                found.append([left, top, min(left + wide, width), min(top + tall, height)])
    return found


def point_grid(count: int) -> np.ndarray:
    """(count * count, 2): x and y of a grid of points in the unit square, row by row."""
    places = np.linspace(1 / (2 * count), 1 - 1 / (2 * count), count)
    across, down = np.meshgrid(places, places)
    return np.stack([across, down], axis=-1).reshape(-1, 2)


def run_lengths(mask: torch.Tensor) -> RunLengths:
    """A mask as COCO counts: lengths of runs down the columns, the first of zeros."""
    import torch

    height, width = mask.shape
    flat = mask.T.flatten().int()
    edges = (torch.nonzero(flat[1:] != flat[:-1]).flatten() + 1).tolist()
    bounds = [0, *edges, len(flat)]
    counts = [end - start for start, end in pairwise(bounds)]
    return {"size": [height, width], "counts": ([0] if bool(flat[0]) else []) + counts}


def from_run_lengths(code: RunLengths) -> np.ndarray:
    """The mask (height, width) that ``run_lengths`` described."""
    height, width = code["size"]
    ones = np.arange(len(code["counts"])) % 2 == 1
    return np.repeat(ones, code["counts"]).reshape(width, height).T


def boxes_of(masks: torch.Tensor) -> torch.Tensor:
    """Corners (x0, y0, x1, y1) of what each mask (masks, height, width) covers; zeros for an empty one."""
    import torch

    boxes = torch.zeros((len(masks), 4), dtype=torch.int64, device=masks.device)
    for box, mask in zip(boxes, masks, strict=True):
        rows, columns = torch.nonzero(mask.any(1)).flatten(), torch.nonzero(mask.any(0)).flatten()
        if len(rows):
            box[:] = torch.stack([columns[0], rows[0], columns[-1], rows[-1]])
    return boxes


def good_masks(
    logits: torch.Tensor,
    quality: torch.Tensor,
    size: tuple[int, int],
    crop: Sequence[int],
    *,
    least_quality: float,
    least_stability: float,
    threshold: float,
    offset: float,
) -> tuple[list[RunLengths], torch.Tensor, torch.Tensor]:
    """Masks of one crop that are sure, stable and not cut by the crop's edge.

    Args:
        logits: (prompts, masks, height, width) in pixels of the crop.
        quality: (prompts, masks), predicted overlap with the truth.
        size: (height, width) of the picture.
        crop: corners of the crop in it.
        least_quality: lowest ``quality``.
        least_stability: lowest overlap of the masks at ``threshold`` plus and minus ``offset``.
        threshold: logits above it belong to a mask.
        offset: see ``least_stability``.

    Returns:
        Run lengths over the whole picture, scores, and boxes in the crop.
    """
    import torch

    logits, quality = logits.flatten(0, 1), quality.flatten(0, 1)
    inner = (logits > threshold + offset).sum((-1, -2), dtype=torch.int32)
    outer = (logits > threshold - offset).sum((-1, -2), dtype=torch.int32)
    keep = (quality > least_quality) & (inner / outer > least_stability)
    masks, scores = logits[keep] > threshold, quality[keep]
    boxes = boxes_of(masks)
    height, width = size
    left, top, right, bottom = (int(side) for side in crop)
    moved = boxes + torch.tensor([left, top, left, top], device=boxes.device)
    near_crop = (moved - torch.tensor([left, top, right, bottom], device=boxes.device)).abs() <= 20
    near_picture = (moved - torch.tensor([0, 0, width, height], device=boxes.device)).abs() <= 20
    inside = ~(near_crop & ~near_picture).any(dim=1)
    border = (left, width - right, top, height - bottom)
    placed = torch.nn.functional.pad(masks[inside].int(), border)
    return [run_lengths(mask) for mask in placed], scores[inside], boxes[inside]


def without_repeats(
    codes: Sequence[RunLengths], scores: torch.Tensor, boxes: torch.Tensor, limit: float
) -> tuple[list[np.ndarray], torch.Tensor, list[RunLengths], torch.Tensor]:
    """The masks of all crops less those whose box a better one overlaps by more than ``limit``."""
    keep = suppress(boxes.float(), scores, limit)
    kept = [codes[int(index)] for index in keep]
    return [from_run_lengths(code) for code in kept], scores[keep], kept, boxes[keep]
