"""The set loss of RT-DETR: class scores learn how well their boxes fit (https://arxiv.org/abs/2008.13367)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_vision.losses.boxes import corners, paired_generalized_iou, paired_iou
from zoo_vision.losses.focal import focal_costs
from zoo_vision.losses.matching import (
    Pairs,
    Target,
    match_boxes,
    matched_objects,
    matched_queries,
    object_count,
)

Prediction = dict[str, Tensor]
"""`logits` (batch, queries, labels) and `pred_boxes` (batch, queries, 4)."""
FurtherLosses = Callable[[Prediction, Pairs, Tensor], dict[str, Tensor]]


def class_costs(logits: Tensor, config: Any) -> Tensor:
    """(batch, queries, labels): what it costs to take a query for a class."""
    if config.use_focal_loss:
        costs = focal_costs(logits, alpha=config.matcher_alpha, gamma=config.matcher_gamma)
    else:
        costs = -logits.softmax(-1)
    return config.matcher_class_cost * costs


def match(found: Prediction, targets: Sequence[Target], config: Any) -> Pairs:
    """The queries that answer for the objects."""
    costs = class_costs(found["logits"], config)
    box, overlap = config.matcher_bbox_cost, config.matcher_giou_cost
    return match_boxes(costs, found["pred_boxes"], targets, bbox_cost=box, giou_cost=overlap)


def varifocal_losses(
    found: Prediction, targets: Sequence[Target], pairs: Pairs, objects: Tensor, config: Any
) -> dict[str, Tensor]:
    """Weighted `loss_vfl`, `loss_bbox` and `loss_giou` of matched predictions."""
    logits, boxes = found["logits"], found["pred_boxes"]
    image, query = matched_queries(pairs)
    own, wanted = boxes[image, query], matched_objects(pairs, targets, "boxes").to(boxes)
    fit, _ = paired_iou(corners(own.detach()), corners(wanted))
    goal = torch.zeros_like(logits)
    named = torch.zeros_like(logits, dtype=torch.bool)
    classes = matched_objects(pairs, targets, "class_labels")
    goal[image, query, classes], named[image, query, classes] = fit.to(goal), True
    doubt = config.focal_loss_alpha * logits.detach().sigmoid().pow(config.focal_loss_gamma)
    losses = F.binary_cross_entropy_with_logits(
        logits, goal, torch.where(named, goal, doubt), reduction="sum"
    )
    overlap = paired_generalized_iou(corners(own), corners(wanted))
    return {
        "loss_vfl": config.weight_loss_vfl * losses / objects,
        "loss_bbox": config.weight_loss_bbox * F.l1_loss(own, wanted, reduction="sum") / objects,
        "loss_giou": config.weight_loss_giou * (1 - overlap).sum() / objects,
    }


def rt_detr_loss(
    found: Prediction,
    targets: Sequence[Target],
    config: Any,
    auxiliary: Sequence[Prediction] = (),
    restored: Sequence[Prediction] = (),
    restored_pairs: Pairs | None = None,
    groups: int = 1,
    further: FurtherLosses | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum and its parts.

    Args:
        auxiliary: predictions of earlier layers and of the encoder.
        restored: each layer's predictions for noised objects, of which `restored_pairs` tells the objects
            and `groups` how often each comes.
        further: makes more parts of a prediction, the pairs, and what sums are divided by.
    """
    objects = object_count(targets, found["logits"])

    def losses(one: Prediction, pairs: Pairs, count: Tensor) -> dict[str, Tensor]:
        more = {} if further is None else further(one, pairs, count)
        return varifocal_losses(one, targets, pairs, count, config) | more

    parts = losses(found, match(found, targets, config), objects)
    for i, earlier in enumerate(auxiliary):
        own = losses(earlier, match(earlier, targets, config), objects)
        parts.update({f"{name}_aux_{i}": value for name, value in own.items()})
    for i, earlier in enumerate(restored):
        assert restored_pairs is not None
        own = losses(earlier, restored_pairs, objects * groups)
        parts.update({f"{name}_dn_{i}": value for name, value in own.items()})
    return torch.stack(list(parts.values())).sum(), parts
