"""SpecAugment: hiding spans of time and bands of features in training (https://arxiv.org/abs/1904.08779)."""

from __future__ import annotations

import torch
from torch import Tensor


def span_mask(
    shape: tuple[int, int],
    probability: float,
    span: int,
    *,
    at_least: int = 0,
    lengths: Tensor | None = None,
    device: torch.device | None = None,
) -> Tensor:
    """Bool (rows, size), True in random spans that cover about `probability` of each row.

    Args:
        at_least: spans in a row, where it is long enough. lengths: (rows,), the part that may be hidden.

    Raises:
        ValueError: a span longer than a row.
    """
    rows, size = shape
    if not 1 <= span <= size:
        raise ValueError(f"spans of {span} cannot be hidden in {size} positions; set the mask length lower")
    limits = [size] * rows if lengths is None else lengths.tolist()
    mask = torch.zeros(shape, dtype=torch.bool)
    for row, limit in enumerate(limits):
        count = max(int(probability * limit / span + float(torch.rand(()))), at_least)
        count = min(count, size // span, max(limit - span + 1, 0))
        for start in torch.randperm(max(limit - span + 1, 0))[:count].tolist():
            mask[row, start : start + span] = True
    return mask.to(device)
