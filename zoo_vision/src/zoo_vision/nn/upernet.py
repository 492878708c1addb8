"""Segmentation heads over feature maps: UPerNet (https://arxiv.org/abs/1807.10221) and a plain FCN."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_vision.nn.conv import ConvNorm


class ConvNormReLU(ConvNorm):
    """Convolution without bias, batch norm, ReLU; the size stays."""

    hub_names = {"convolution": "conv", "normalization": "bn"}


def stretch(x: Tensor, like: Tensor) -> Tensor:
    """`x` (batch, channels, h, w), bilinearly, in the size of `like`."""
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


class PyramidPooling(nn.ModuleList):
    """Means over 1x1, 2x2, ... regions, each through a convolution, stretched back."""

    def __init__(self, scales: Sequence[int], channels: int, width: int) -> None:
        super().__init__(
            nn.ModuleList((nn.AdaptiveAvgPool2d(scale), ConvNormReLU(channels, width, 1))) for scale in scales
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """(batch, channels, h, w) to one map (batch, width, h, w) for each scale."""
        return [stretch(conv(pool(x)), x) for pool, conv in self]  # type: ignore[misc]


class UPerHead(nn.Module):
    """Scores of each pixel of the largest map, from a feature pyramid with pooling at its top.

    Args:
        in_channels: of the feature maps, the largest map first. width: of all maps inside.
    """

    def __init__(self, in_channels: Sequence[int], width: int, labels: int, scales: Sequence[int]) -> None:
        super().__init__()
        *lower, top = in_channels
        self.psp_modules = PyramidPooling(scales, top, width)
        self.bottleneck = ConvNormReLU(top + len(scales) * width, width, 3)
        self.lateral_convs = nn.ModuleList(ConvNormReLU(channels, width, 1) for channels in lower)
        self.fpn_convs = nn.ModuleList(ConvNormReLU(width, width, 3) for _ in lower)
        self.fpn_bottleneck = ConvNormReLU(len(in_channels) * width, width, 3)
        self.classifier = nn.Conv2d(width, labels, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Feature maps to scores (batch, labels, h, w) in the size of the first."""
        top = self.bottleneck(torch.cat((maps[-1], *self.psp_modules(maps[-1])), dim=1))
        merged = [lateral(x) for lateral, x in zip(self.lateral_convs, maps[:-1], strict=True)] + [top]
        for i in range(len(merged) - 1, 0, -1):
            merged[i - 1] = merged[i - 1] + stretch(merged[i], merged[i - 1])
        levels = [conv(x) for conv, x in zip(self.fpn_convs, merged[:-1], strict=True)] + [merged[-1]]
        levels = [levels[0], *(stretch(x, levels[0]) for x in levels[1:])]
        return self.classifier(self.fpn_bottleneck(torch.cat(levels, dim=1)))


class FCNHead(nn.Module):
    """Scores from one feature map by a few convolutions (https://arxiv.org/abs/1411.4038).

    Args:
        index: which map is taken. concat_input: the map goes past the convolutions as well.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        labels: int,
        *,
        num_convs: int,
        concat_input: bool,
        index: int = 2,
        kernel: int = 3,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.index = index
        widths = [channels, *[width] * num_convs]
        self.convs = nn.ModuleList(ConvNormReLU(a, b, kernel, dilation=dilation) for a, b in pairwise(widths))
        self.conv_cat = ConvNormReLU(channels + width, width, kernel) if concat_input else None
        self.classifier = nn.Conv2d(width if num_convs else channels, labels, 1)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Feature maps to scores (batch, labels, h, w) in the size of the one taken."""
        x = maps[self.index]
        y = x
        for conv in self.convs:
            y = conv(y)
        if self.conv_cat is not None:
            y = self.conv_cat(torch.cat((x, y), dim=1))
        return self.classifier(y)
