"""From a transformer's states to one map of fine detail (https://arxiv.org/abs/2103.13413)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames


class Reassemble(nn.Module):
    """A map of patches brought to `channels` and `factor` times its size."""

    def __init__(self, size: int, channels: int, factor: float) -> None:
        super().__init__()
        self.projection = nn.Conv2d(size, channels, 1)
        self.resize: nn.Module = nn.Identity()
        if factor > 1:
            self.resize = nn.ConvTranspose2d(channels, channels, int(factor), int(factor))
        elif factor < 1:
            self.resize = nn.Conv2d(channels, channels, 3, int(1 / factor), padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.resize(self.projection(x))


class PreActResidual(nn.Module):
    """ReLU, convolution, ReLU, convolution, added to the input; with batch norm where wanted."""

    def __init__(self, width: int, *, batch_norm: bool, bias: bool) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(width, width, 3, padding=1, bias=bias)
        self.convolution2 = nn.Conv2d(width, width, 3, padding=1, bias=bias)
        self.batch_norm1 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()
        self.batch_norm2 = nn.BatchNorm2d(width) if batch_norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = self.batch_norm1(self.convolution1(F.relu(x)))
        return x + self.batch_norm2(self.convolution2(F.relu(y)))


class FusionLayer(nn.Module):
    """A coarser fused map and a map of its own, joined and enlarged."""

    def __init__(self, width: int, *, batch_norm: bool, bias: bool) -> None:
        super().__init__()
        self.projection = nn.Conv2d(width, width, 1)
        self.residual_layer1 = PreActResidual(width, batch_norm=batch_norm, bias=bias)
        self.residual_layer2 = PreActResidual(width, batch_norm=batch_norm, bias=bias)

    def forward(self, x: Tensor, own: Tensor | None, size: tuple[int, int] | None) -> Tensor:
        """Maps (batch, width, h, w) to one of `size`, or of twice the size."""
        return self.enlarge(self.join(x, own), size)

    def join(self, x: Tensor, own: Tensor | None) -> Tensor:
        """One map of two."""
        if own is not None:
            if own.shape != x.shape:
                own = F.interpolate(own, size=x.shape[-2:], mode="bilinear", align_corners=False)
            x = x + self.residual_layer1(own)
        return self.residual_layer2(x)

    def enlarge(self, x: Tensor, size: tuple[int, int] | None) -> Tensor:
        """A map of `size`, or of twice the size."""
        scale = None if size is not None else 2
        return self.projection(
            F.interpolate(x, size=size, scale_factor=scale, mode="bilinear", align_corners=True)
        )


class FusionNeck(nn.Module):
    """Maps of several sizes, fused from the coarsest to the finest.

    Args:
        channels: of the maps, the finest first. width: of all maps inside.
        fit: enlarge to the next map's exact size, rather than twofold.
    """

    hub_names: HubNames = {"layers": "fusion_stage.layers"}
    layer_class: type[FusionLayer] = FusionLayer

    def __init__(
        self, channels: Sequence[int], width: int, *, batch_norm: bool, bias: bool, fit: bool = False
    ) -> None:
        super().__init__()
        self.fit = fit
        self.convs = nn.ModuleList(nn.Conv2d(c, width, 3, padding=1, bias=False) for c in channels)
        self.layers = nn.ModuleList(
            self.layer_class(width, batch_norm=batch_norm, bias=bias) for _ in channels
        )

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The fused maps, the finest last."""
        return self.fuse(self.project(maps))

    def project(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """The maps, brought to one width, the coarsest first."""
        return [conv(x) for conv, x in zip(self.convs, maps, strict=True)][::-1]

    def fuse(self, own: Sequence[Tensor], **options: Any) -> list[Tensor]:
        """The fused maps, from what `project` returns; options go to the layers."""
        fused: list[Tensor] = []
        for i, (layer, x) in enumerate(zip(self.layers, own, strict=True)):
            size = None
            if self.fit and i + 1 < len(own):
                size = (own[i + 1].shape[-2], own[i + 1].shape[-1])
            fused.append(layer(fused[-1], x, size, **options) if fused else layer(x, None, size, **options))
        return fused
