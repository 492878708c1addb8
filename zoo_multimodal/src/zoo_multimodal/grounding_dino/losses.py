"""The loss of Grounding DINO: DETR's set loss, in which a class is the tokens of a phrase."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from zoo_vision.losses.detr import other_losses, weighted
from zoo_vision.losses.focal import focal_costs, sigmoid_focal_losses
from zoo_vision.losses.matching import Target, match_boxes, object_count


def grounding_losses(
    found: dict[str, Tensor],
    targets: Sequence[Target],
    config: Any,
    *,
    label_maps: Sequence[Tensor],
    text_mask: Tensor,
) -> dict[str, Tensor]:
    """`loss_ce`, `loss_bbox`, `loss_giou` and, for information, `cardinality_error`.

    Args:
        found: `logits` (batch, queries, tokens) and `pred_boxes` (batch, queries, 4).
        label_maps: the tokens of each image's phrases, see `phrase_tokens`; `class_labels` count them.
        text_mask: (batch, queries, tokens), where logits count.
    """
    logits = found["logits"]
    costs = [
        config.class_cost * focal_costs(own) @ (rows / rows.sum(1, keepdim=True)).T.to(own)
        for own, rows in zip(logits.nan_to_num(neginf=-1e4), label_maps, strict=True)
    ]
    weights = {"bbox_cost": config.bbox_cost, "giou_cost": config.giou_cost}
    pairs = match_boxes(costs, found["pred_boxes"], targets, **weights)
    goal = torch.zeros_like(logits)
    for own, rows, target, (queries, objects) in zip(goal, label_maps, targets, pairs, strict=True):
        own[queries] = rows[target["class_labels"].to(rows.device)[objects]].to(own)
    losses = sigmoid_focal_losses(logits[text_mask], goal[text_mask], alpha=config.focal_alpha)
    return {
        "loss_ce": losses.sum() / object_count(targets, logits),
        **other_losses(found, pairs, targets),
    }


def grounding_loss(
    last: dict[str, Tensor],
    encoder: dict[str, Tensor],
    targets: Sequence[Target],
    config: Any,
    *,
    auxiliary: Sequence[dict[str, Tensor]] = (),
    label_maps: Sequence[Tensor],
    text_mask: Tensor,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum and its parts, those of the encoder's predictions ending in `_enc`.

    Arguments as of `grounding_losses`; `auxiliary` are earlier layers' predictions.

    Raises:
        ValueError: a label counts beyond the phrases of its prompt.
    """
    for i, (target, rows) in enumerate(zip(targets, label_maps, strict=True)):
        labels = target["class_labels"]
        if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < len(rows):
            raise ValueError(
                f"labels[{i}] names class {int(labels.max())} and its prompt has {len(rows)} phrases; "
                "class_labels count the phrases of a prompt from 0"
            )
    losses = partial(
        grounding_losses, targets=targets, config=config, label_maps=label_maps, text_mask=text_mask
    )
    boxes = {"loss_bbox": config.bbox_loss_coefficient, "loss_giou": config.giou_loss_coefficient}
    weights = {"loss_ce": 2.0, **boxes}
    total, parts = weighted(last, auxiliary, losses, weights)
    first, more = weighted(encoder, (), losses, weights)
    return total + first, parts | {f"{name}_enc": value for name, value in more.items()}
