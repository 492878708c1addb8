"""Losses of the common heads. Labels equal to -100 do not count. All are computed in float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from zoo_core.config import PretrainedConfig

IGNORED = -100


def token_loss(logits: Tensor, labels: Tensor, *, num_items: Tensor | int | None = None) -> Tensor:
    """Cross-entropy of logits (..., classes) against labels (...).

    The mean over the labels that count; with `num_items` their sum divided by it, for gradient
    accumulation over batches of unequal length.
    """
    flat, target = logits.float().flatten(0, -2), labels.to(logits.device).flatten()
    if num_items is None:
        return F.cross_entropy(flat, target, ignore_index=IGNORED)
    return F.cross_entropy(flat, target, ignore_index=IGNORED, reduction="sum") / num_items


def causal_lm_loss(logits: Tensor, labels: Tensor, *, num_items: Tensor | int | None = None) -> Tensor:
    """As `token_loss`, where logits (batch, sequence, vocabulary) at a position predict the next label."""
    shifted = F.pad(labels, (0, 1), value=IGNORED)[..., 1:]
    return token_loss(logits, shifted, num_items=num_items)


def sequence_loss(logits: Tensor, labels: Tensor, config: PretrainedConfig) -> Tensor:
    """The loss of logits (batch, labels), by `config.problem_type`.

    Where that is None: one label is a regression, integer labels are classes, float labels are the
    probabilities of a multi-label problem; the decision is stored in the config.
    """
    num_labels = config.num_labels
    if config.problem_type is None:
        if num_labels == 1:
            config.problem_type = "regression"
        elif not labels.is_floating_point():
            config.problem_type = "single_label_classification"
        else:
            config.problem_type = "multi_label_classification"
    labels = labels.to(logits.device)
    if config.problem_type == "regression":
        if num_labels == 1:
            return F.mse_loss(logits.float().squeeze(), labels.float().squeeze())
        return F.mse_loss(logits.float(), labels.float())
    if config.problem_type == "single_label_classification":
        return token_loss(logits.view(-1, num_labels), labels.view(-1))
    return F.binary_cross_entropy_with_logits(logits.float(), labels.float())


def span_loss(start_logits: Tensor, end_logits: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Mean of the losses of the first and the last token; positions beyond the sequence do not count."""
    length = start_logits.shape[1]
    losses = []
    for logits, position in ((start_logits, start), (end_logits, end)):
        target = position.to(logits.device).reshape(-1).clamp(0, length)
        losses.append(F.cross_entropy(logits.float(), target, ignore_index=length))
    return (losses[0] + losses[1]) / 2


def pixel_loss(logits: Tensor, labels: Tensor, *, ignored: int) -> Tensor:
    """Cross-entropy of scores (batch, labels, h, w), stretched bilinearly to labels (batch, height, width).

    Labels equal to `ignored` do not count.
    """
    stretched = F.interpolate(logits.float(), size=labels.shape[-2:], mode="bilinear", align_corners=False)
    return F.cross_entropy(stretched, labels.to(logits.device), ignore_index=ignored)
