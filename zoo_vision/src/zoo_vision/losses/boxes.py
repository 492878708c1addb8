"""Boxes and how much they overlap."""

from __future__ import annotations

import torch
from torch import Tensor


def corners(boxes: Tensor) -> Tensor:
    """(..., 4) centre x, centre y, width, height to the corners x0, y0, x1, y1."""
    centre, size = boxes[..., :2], boxes[..., 2:]
    return torch.cat((centre - size / 2, centre + size / 2), dim=-1)


def areas(boxes: Tensor) -> Tensor:
    """(...) of corners (..., 4)."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def paired_iou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union of corners (..., 4) with others of the same shape, and the union."""
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    shared = inner.prod(-1)
    union = areas(a) + areas(b) - shared
    return shared / union, union


def paired_generalized_iou(a: Tensor, b: Tensor) -> Tensor:
    """(...) of corners (..., 4), from -1 to 1 (https://arxiv.org/abs/1902.09630)."""
    iou, union = paired_iou(a, b)
    outer = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).clamp(min=0)
    around = outer.prod(-1)
    return iou - (around - union) / around


def generalized_iou(first: Tensor, second: Tensor) -> Tensor:
    """(n, m) of corners (n, 4) and (m, 4): each with each."""
    return paired_generalized_iou(first[:, None], second[None])
