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


def generalized_iou(first: Tensor, second: Tensor) -> Tensor:
    """(n, m) of corners (n, 4) and (m, 4), from -1 to 1 (https://arxiv.org/abs/1902.09630)."""
    a, b = first[:, None], second[None]
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    outer = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).clamp(min=0)
    shared, around = inner.prod(-1), outer.prod(-1)
    union = areas(a) + areas(b) - shared
    return shared / union - (around - union) / around
