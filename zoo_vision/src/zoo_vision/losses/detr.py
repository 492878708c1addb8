"""The set loss of DETR (https://arxiv.org/abs/2005.12872): predictions matched to objects, then compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_vision.losses.boxes import corners, paired_generalized_iou
from zoo_vision.losses.matching import Target, match_boxes, matched_objects, matched_queries


def set_losses(logits: Tensor, boxes: Tensor, targets: Sequence[Target], config: Any) -> dict[str, Tensor]:
    """`loss_ce`, `loss_bbox`, `loss_giou` and, for information, `cardinality_error`.

    Args:
        logits: (batch, queries, labels + 1), the last class being "no object". boxes: (batch, queries, 4).
    """
    none = logits.shape[-1] - 1
    pairs = match_boxes(
        -config.class_cost * logits.softmax(-1),
        boxes,
        targets,
        bbox_cost=config.bbox_cost,
        giou_cost=config.giou_cost,
    )
    image, query = matched_queries(pairs)
    wanted = matched_objects(pairs, targets, "boxes").to(boxes)
    classes = torch.full(logits.shape[:2], none, dtype=torch.int64, device=logits.device)
    classes[image, query] = matched_objects(pairs, targets, "class_labels")
    weight = torch.ones(none + 1, device=logits.device)
    weight[-1] = config.eos_coefficient
    counts = logits.new_tensor([len(t["class_labels"]) for t in targets])
    objects = counts.sum().clamp(min=1)
    found = boxes[image, query]
    overlap = paired_generalized_iou(corners(found), corners(wanted))
    named = (logits.detach().argmax(-1) != none).sum(1).float()
    return {
        "loss_ce": F.cross_entropy(logits.transpose(1, 2), classes, weight),
        "loss_bbox": F.l1_loss(found, wanted, reduction="sum") / objects,
        "loss_giou": (1 - overlap).sum() / objects,
        "cardinality_error": F.l1_loss(named, counts.float()),
    }


def detr_loss(
    logits: Tensor,
    boxes: Tensor,
    targets: Sequence[Target],
    config: Any,
    auxiliary: Sequence[dict[str, Tensor]] = (),
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum and its parts; `auxiliary` holds logits and boxes of earlier layers."""
    parts = set_losses(logits, boxes, targets, config)
    for i, earlier in enumerate(auxiliary):
        own = set_losses(earlier["logits"], earlier["pred_boxes"], targets, config)
        parts.update({f"{name}_{i}": value for name, value in own.items()})
    weights = {
        "loss_ce": 1.0,
        "loss_bbox": config.bbox_loss_coefficient,
        "loss_giou": config.giou_loss_coefficient,
    }
    total = sum(
        weight * value
        for start, weight in weights.items()
        for name, value in parts.items()
        if name.startswith(start)
    )
    assert isinstance(total, Tensor)
    return total, parts
