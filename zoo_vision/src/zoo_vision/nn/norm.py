"""Normalisation and scaling of images."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.drop_path import LayerScale


class ChannelNorm(nn.LayerNorm):
    """LayerNorm over the channels of (batch, channels, height, width)."""

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__(channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(0, 2, 3, 1)
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps).permute(0, 3, 1, 2)


class ChannelScale(LayerScale):
    """A learned factor for each channel of (batch, channels, height, width)."""

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, None, None]


def channel_scale(channels: int, initial: float | None) -> nn.Module:
    """`ChannelScale`, or nothing where `initial` is None."""
    return nn.Identity() if initial is None else ChannelScale(channels, initial)
