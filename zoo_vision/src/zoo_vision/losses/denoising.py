"""Noised objects that a decoder restores in training, next to its queries (https://arxiv.org/abs/2203.03605)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from zoo_vision.losses.boxes import corners
from zoo_vision.losses.matching import Pairs, Target


class NoisedObjects(NamedTuple):
    """Groups of objects, each first as they nearly are and then further off.

    Args:
        classes: (batch, noised), the number of classes where an image has fewer objects.
        boxes: (batch, noised, 4), logits of centre and size.
        visible: (1, noised + queries, noised + queries) bool: groups and queries do not see each other,
            but groups see all queries.
        pairs: for each image, where its objects stand among those nearly right. groups: how many.
    """

    classes: Tensor
    boxes: Tensor
    visible: Tensor
    pairs: Pairs
    groups: int

    def summary(self, queries: int) -> dict[str, object]:
        """Under the names that outputs have."""
        return {
            "dn_positive_idx": tuple(places for places, _ in self.pairs),
            "dn_num_group": self.groups,
            "dn_num_split": [self.classes.shape[1], queries],
        }


def noised_objects(
    targets: Sequence[Target],
    *,
    classes: int,
    queries: int,
    wanted: int,
    label_noise: float,
    box_noise: float,
    device: torch.device,
) -> NoisedObjects | None:
    """About `wanted` noised objects a kind of each image; None when no image has objects.

    Args:
        label_noise: twice the share of objects of another class. box_noise: how far corners move, in half
            sides.
    """
    counts = [len(target["class_labels"]) for target in targets]
    most = max(counts, default=0)
    if most == 0 or wanted <= 0:
        return None
    groups = max(wanted // most, 1)
    labels = torch.full((len(targets), most), classes, device=device)
    boxes = torch.zeros(len(targets), most, 4, device=device)
    for i, target in enumerate(targets):
        labels[i, : counts[i]], boxes[i, : counts[i]] = target["class_labels"], target["boxes"]
    real = (labels < classes).repeat(1, 2 * groups)
    labels, boxes = labels.repeat(1, 2 * groups), boxes.repeat(1, 2 * groups, 1)
    far = torch.arange(2 * groups, device=device).remainder(2).repeat_interleave(most).bool()
    if label_noise > 0:
        changed = (torch.rand_like(labels, dtype=torch.float) < label_noise / 2) & real
        labels = torch.where(changed, torch.randint_like(labels, classes), labels)
    if box_noise > 0:
        boxes = _moved(boxes, far, box_noise)
    pairs = []
    for count in counts:
        starts = torch.arange(groups, device=device)[:, None] * 2 * most
        objects = torch.arange(count, device=device)
        pairs.append(((starts + objects).flatten(), objects.repeat(groups)))
    visible = _visible(groups, 2 * most, queries, device)
    return NoisedObjects(labels, boxes.logit(eps=1e-5), visible, pairs, groups)


def _moved(boxes: Tensor, far: Tensor, noise: float) -> Tensor:
    """Boxes whose corners move by up to `noise` half sides, or by one to two times that where `far`."""
    reach = boxes[..., 2:].repeat(1, 1, 2) * 0.5 * noise
    sign = torch.randint_like(boxes, 2) * 2 - 1
    share = torch.rand_like(boxes) + far[:, None]
    low, high = (corners(boxes) + sign * share * reach).clamp(0, 1).split(2, dim=-1)
    return torch.cat(((low + high) / 2, high - low), dim=-1)


def _visible(groups: int, size: int, queries: int, device: torch.device) -> Tensor:
    owner = torch.arange(groups, device=device).repeat_interleave(size)
    owner = torch.cat((owner, owner.new_full((queries,), -1)))
    return ((owner[:, None] == owner[None]) | (owner[None] == -1))[None]
