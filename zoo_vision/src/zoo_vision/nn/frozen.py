"""Backbones of detectors that do not learn: their weights, and batch norm that follows no batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FrozenBatchNorm(nn.Module):
    """Scales and shifts (batch, channels, height, width) by what a batch norm has learned."""

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((channels,), value))

    def forward(self, x: Tensor) -> Tensor:
        weight, bias, mean, var = (
            self.get_buffer(name)[None, :, None, None]
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        scale = weight * (var + self.eps).rsqrt()
        return x * scale + (bias - mean * scale)


def freeze_batch_norms(model: nn.Module) -> None:
    """Replace every BatchNorm2d inside `model`."""
    for name, child in list(model.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(model, name, FrozenBatchNorm(child.num_features))
        else:
            freeze_batch_norms(child)


class FreezableBackbone:
    """A model with a `backbone` whose weights may be kept from training."""

    backbone: nn.Module

    def freeze_backbone(self) -> None:
        """Leave the backbone's weights as they are in training."""
        self.backbone.requires_grad_(False)

    def unfreeze_backbone(self) -> None:
        """Train the backbone's weights again."""
        self.backbone.requires_grad_(True)
