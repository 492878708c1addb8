"""The set loss of DETR (https://arxiv.org/abs/2005.12872): predictions matched to objects, then compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_vision.losses.boxes import corners, paired_generalized_iou
from zoo_vision.losses.focal import focal_costs, sigmoid_focal_losses
from zoo_vision.losses.masks import dice_losses, padded_alike
from zoo_vision.losses.matching import (
    Pairs,
    Target,
    match_boxes,
    matched_objects,
    matched_queries,
    object_count,
)


def set_losses(found: dict[str, Tensor], targets: Sequence[Target], config: Any) -> dict[str, Tensor]:
    """`loss_ce`, `loss_bbox`, `loss_giou`, for information `cardinality_error`, and with masks `loss_mask`
    and `loss_dice`.

    Args:
        found: `logits` (batch, queries, labels + 1), the last class being "no object", `pred_boxes` (batch,
            queries, 4), and optionally `pred_masks` (batch, queries, height, width).
    """
    logits = found["logits"]
    pairs = _match(found, targets, config, -config.class_cost * logits.softmax(-1))
    classes = _classes(pairs, targets, logits, logits.shape[-1] - 1)
    weight = torch.ones(logits.shape[-1], device=logits.device)
    weight[-1] = config.eos_coefficient
    loss = F.cross_entropy(logits.float().transpose(1, 2), classes, weight)
    return {"loss_ce": loss, **other_losses(found, pairs, targets)}


def focal_set_losses(
    found: dict[str, Tensor], targets: Sequence[Target], config: Any, pairs: Pairs | None = None
) -> dict[str, Tensor]:
    """As `set_losses`, with logits of (batch, queries, labels): each class is asked for alone.

    Args:
        pairs: an assignment that replaces the cheapest one; an object may have several queries.
    """
    logits = found["logits"]
    if pairs is None:
        pairs = _match(found, targets, config, config.class_cost * focal_costs(logits))
    classes = _classes(pairs, targets, logits, logits.shape[-1])
    goal = F.one_hot(classes, logits.shape[-1] + 1)[..., :-1].to(logits)
    losses = sigmoid_focal_losses(logits, goal, alpha=config.focal_alpha)
    loss = losses.sum() / object_count(targets, logits)
    return {"loss_ce": loss, **other_losses(found, pairs, targets)}


def _match(found: dict[str, Tensor], targets: Sequence[Target], config: Any, costs: Tensor) -> Pairs:
    """The cheapest assignment, by class and box."""
    weights = {"bbox_cost": config.bbox_cost, "giou_cost": config.giou_cost}
    return match_boxes(costs, found["pred_boxes"], targets, **weights)


def _classes(pairs: Pairs, targets: Sequence[Target], logits: Tensor, none: int) -> Tensor:
    """The class (batch, queries) that each query should have, `none` without object."""
    classes = torch.full(logits.shape[:2], none, dtype=torch.int64, device=logits.device)
    classes[matched_queries(pairs)] = matched_objects(pairs, targets, "class_labels").to(classes.device)
    return classes


def other_losses(found: dict[str, Tensor], pairs: Pairs, targets: Sequence[Target]) -> dict[str, Tensor]:
    """All parts but `loss_ce`, see `set_losses`."""
    logits = found["logits"].detach()
    named = (logits.argmax(-1) != logits.shape[-1] - 1).sum(1).float()
    counts = named.new_tensor([len(target["class_labels"]) for target in targets])
    losses = {
        **box_losses(found["pred_boxes"], pairs, targets),
        "cardinality_error": F.l1_loss(named, counts),
    }
    if "pred_masks" in found:
        losses |= mask_losses(found["pred_masks"], pairs, targets)
    return losses


def box_losses(boxes: Tensor, pairs: Pairs, targets: Sequence[Target]) -> dict[str, Tensor]:
    """`loss_bbox` and `loss_giou` of matched boxes, for each object."""
    found = boxes[matched_queries(pairs)]
    wanted = matched_objects(pairs, targets, "boxes").to(found)
    overlap = paired_generalized_iou(corners(found), corners(wanted))
    objects = object_count(targets, boxes)
    return {
        "loss_bbox": F.l1_loss(found, wanted, reduction="sum") / objects,
        "loss_giou": (1 - overlap).sum() / objects,
    }


def mask_losses(masks: Tensor, pairs: Pairs, targets: Sequence[Target]) -> dict[str, Tensor]:
    """`loss_mask`, focal, and `loss_dice` (https://arxiv.org/abs/1606.04797) of matched masks.

    Args:
        masks: (batch, queries, height, width) logits, stretched to the `masks` of the targets, which are
            (objects, height, width) each and are padded with zeros to one size.
    """
    padded = [{"masks": masks} for masks in padded_alike([target["masks"] for target in targets])]
    wanted = matched_objects(pairs, padded, "masks").to(masks)
    found = masks[matched_queries(pairs)][:, None]
    found = F.interpolate(found, size=wanted.shape[-2:], mode="bilinear", align_corners=False).flatten(1)
    wanted, objects = wanted.flatten(1), object_count(targets, masks)
    return {
        "loss_mask": sigmoid_focal_losses(found, wanted).mean(1).sum() / objects,
        "loss_dice": dice_losses(found, wanted).sum() / objects,
    }


def weighted(
    last: dict[str, Tensor],
    auxiliary: Sequence[dict[str, Tensor]],
    losses: Callable[[dict[str, Tensor]], dict[str, Tensor]],
    weights: Mapping[str, float],
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum and its parts, those of earlier layers with their number at the end."""
    parts = losses(last)
    for i, earlier in enumerate(auxiliary):
        parts |= {f"{name}_{i}": value for name, value in losses(earlier).items()}
    total = sum(
        weight * value
        for start, weight in weights.items()
        for name, value in parts.items()
        if name.startswith(start)
    )
    assert isinstance(total, Tensor)
    return total, parts


def shared_weights(config: Any) -> dict[str, float]:
    """How much the parts for boxes and masks count."""
    return {
        "loss_bbox": config.bbox_loss_coefficient,
        "loss_giou": config.giou_loss_coefficient,
        "loss_mask": config.mask_loss_coefficient,
        "loss_dice": config.dice_loss_coefficient,
    }


def detr_loss(
    last: dict[str, Tensor],
    targets: Sequence[Target],
    config: Any,
    auxiliary: Sequence[dict[str, Tensor]] = (),
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum and its parts, of predictions as in `set_losses`; `auxiliary` are earlier layers'."""
    weights = {"loss_ce": 1.0, **shared_weights(config)}
    return weighted(last, auxiliary, lambda found: set_losses(found, targets, config), weights)


def focal_set_loss(
    last: dict[str, Tensor],
    targets: Sequence[Target],
    config: Any,
    auxiliary: Sequence[dict[str, Tensor]] = (),
) -> tuple[Tensor, dict[str, Tensor]]:
    """As `detr_loss`, of predictions as in `focal_set_losses`."""
    weights = {"loss_ce": 1.0, **shared_weights(config)}
    return weighted(last, auxiliary, lambda found: focal_set_losses(found, targets, config), weights)
