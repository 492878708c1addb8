"""Which predictions answer for an object, several each: those that overlap it (https://arxiv.org/abs/2212.06137)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from zoo_vision.losses.boxes import corners, paired_iou
from zoo_vision.losses.matching import Pairs, Target


class OverlapRule(NamedTuple):
    """A candidate counts from an overlap of `least`, or where no other overlaps an object more.

    Of more than `limit` candidates that count in an image, so many are drawn; an object gets at most `each`.
    """

    least: float
    limit: int
    each: int = 4


@torch.no_grad()
def assign_by_overlap(candidates: Tensor, targets: Sequence[Target], rule: OverlapRule) -> Pairs:
    """Candidates (batch, n, 4), centre and size as fractions of the image, and their objects."""
    pairs = []
    for own, target in zip(candidates, targets, strict=True):
        wanted = corners(target["boxes"].to(own))
        if not len(wanted):
            nothing = torch.zeros(0, dtype=torch.long, device=own.device)
            pairs.append((nothing, nothing))
            continue
        overlap = paired_iou(wanted[:, None], corners(own)[None])[0]
        best, owner = overlap.max(0)
        counts = (best >= rule.least) | (overlap == overlap.amax(1, keepdim=True)).any(0)
        found = counts.nonzero()[:, 0]
        found = found[torch.randperm(len(found), device=own.device)[: rule.limit]]
        objects, numbers = owner[found].unique(return_counts=True)
        ranked = overlap[objects].topk(min(rule.each, overlap.shape[1]), dim=1).indices
        taken = torch.arange(ranked.shape[1], device=own.device) < numbers[:, None]
        pairs.append((ranked[taken], objects[:, None].expand_as(ranked)[taken]))
    return pairs
