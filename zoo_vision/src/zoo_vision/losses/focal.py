"""Focal loss: pairs of query and class that are easy count less (https://arxiv.org/abs/1708.02002)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def focal_costs(logits: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """What it costs to take each for its class rather than not, of logits of any shape."""
    chance = logits.sigmoid()
    yes = alpha * (1 - chance) ** gamma * -(chance + 1e-8).log()
    no = (1 - alpha) * chance**gamma * -(1 - chance + 1e-8).log()
    return yes - no


def sigmoid_focal_losses(logits: Tensor, goal: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Element by element; `goal` is 0 or 1, and a negative `alpha` weighs both alike."""
    chance = logits.sigmoid()
    missed = chance * (1 - goal) + (1 - chance) * goal
    losses = F.binary_cross_entropy_with_logits(logits, goal, reduction="none") * missed**gamma
    return losses * (alpha * goal + (1 - alpha) * (1 - goal)) if alpha >= 0 else losses
