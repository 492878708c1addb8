"""Losses of the sides of boxes as distributions (https://arxiv.org/abs/2410.13842)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_vision.losses.boxes import corners, paired_iou
from zoo_vision.losses.matching import Pairs, Target, matched_objects, matched_queries

TEMPERATURE = 5.0


def side_distances(first: Tensor, wanted: Tensor, scale: Tensor) -> Tensor:
    """(n, 4): how far left, top, right and bottom of boxes `wanted` lie off those of `first`.

    Both (n, 4), centre and size; distances are in sides of `first` divided by `scale`.
    """
    edges = corners(wanted)
    size = first[:, 2:] / scale
    low = (first[:, :2] - edges[:, :2]) / size - 0.5 * scale
    high = (edges[:, 2:] - first[:, :2]) / size - 0.5 * scale
    return torch.cat((low, high), dim=-1)


def neighbours(distances: Tensor, bins: Tensor) -> tuple[Tensor, Tensor]:
    """The bin below each distance, and the share of the one above; `bins` (count,) ascend."""
    last = len(bins) - 1
    left = ((bins <= distances[..., None]).sum(-1) - 1).clamp(0, last - 1)
    share = (distances - bins[left]) / (bins[left + 1] - bins[left])
    return left, share.clamp(0, 1)


def side_losses(
    found: dict[str, Tensor],
    targets: Sequence[Target],
    pairs: Pairs,
    objects: Tensor,
    bins: Tensor,
    scale: Tensor,
) -> dict[str, Tensor]:
    """`loss_fgl`, where sides should lie, and `loss_ddf`, what the last layer knows of all of them.

    Args:
        found: `logits`, `pred_boxes`, and of sides `pred_corners` (batch, queries, 4 x bins), logits, off the
            boxes `ref_points` (batch, queries, 4); of the last layer `teacher_corners` and `teacher_logits`.
        bins: what the bins stand for. objects: what sums are divided by.
    """
    image, query = matched_queries(pairs)
    sides = found["pred_corners"].unflatten(-1, (4, -1))
    wanted = matched_objects(pairs, targets, "boxes").to(sides)
    with torch.no_grad():
        fit, _ = paired_iou(corners(found["pred_boxes"][image, query]), corners(wanted))
        left, share = neighbours(side_distances(found["ref_points"][image, query], wanted, scale), bins)
    own = sides[image, query].transpose(1, 2)
    missed = F.cross_entropy(own, left, reduction="none") * (1 - share)
    missed = missed + F.cross_entropy(own, left + 1, reduction="none") * share
    return {
        "loss_fgl": (missed * fit[:, None]).sum() / objects,
        "loss_ddf": _distilled(found, sides, (image, query), fit),
    }


def _distilled(found: dict[str, Tensor], sides: Tensor, place: tuple[Tensor, Tensor], fit: Tensor) -> Tensor:
    """How far the distributions are from the last layer's, matched queries and others by themselves."""
    teacher = found["teacher_corners"].detach().unflatten(-1, (4, -1))
    if torch.equal(sides, teacher):
        return sides.sum() * 0
    weight = found["teacher_logits"].detach().sigmoid().amax(-1)
    matched = torch.zeros_like(weight, dtype=torch.bool)
    matched[place], weight[place] = True, fit.to(weight)
    goal = (teacher / TEMPERATURE).softmax(-1)
    apart = F.kl_div((sides / TEMPERATURE).log_softmax(-1), goal, reduction="none").sum(-1)
    apart = (apart * weight[..., None] * TEMPERATURE**2).mean(-1)
    count = matched.sum()
    shares = torch.stack((count, matched.numel() - count)).sqrt()
    means = [apart[which].mean() if which.any() else apart.new_zeros(()) for which in (matched, ~matched)]
    return (torch.stack(means) * shares).sum() / shares.sum()
