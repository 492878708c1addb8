"""The page as a detector sees it: ResNeXt (https://arxiv.org/abs/1611.05431) under a feature pyramid.

The pyramid is https://arxiv.org/abs/1612.03144; parts have the names that detectron2's checkpoints have.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_multimodal.layoutlmv2.config import LayoutLMv2Config
from zoo_vision.nn.frozen import FrozenBatchNorm

_BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class ConvFrozenNorm(nn.Conv2d):
    """A convolution that keeps the size but for its stride, and a batch norm that does not learn."""

    def __init__(self, channels: int, width: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, width, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = FrozenBatchNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(super().forward(x))


class Bottleneck(nn.Module):
    """relu(shortcut(x) + convs(x)): 1x1 to `inner` channels, 3x3 in groups, 1x1 to `width`."""

    def __init__(
        self, channels: int, inner: int, width: int, *, stride: int, groups: int, early_stride: bool
    ) -> None:
        super().__init__()
        first, second = (stride, 1) if early_stride else (1, stride)
        self.shortcut = None if channels == width else ConvFrozenNorm(channels, width, 1, stride=stride)
        self.conv1 = ConvFrozenNorm(channels, inner, 1, stride=first)
        self.conv2 = ConvFrozenNorm(inner, inner, 3, stride=second, groups=groups)
        self.conv3 = ConvFrozenNorm(inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        changed = self.conv3(self.conv2(self.conv1(x).relu()).relu())
        return (changed + (x if self.shortcut is None else self.shortcut(x))).relu()


class ResNeXt(nn.Module):
    """A stem and four stages, each of half the height and width of the one before."""

    def __init__(self, config: LayoutLMv2Config) -> None:
        super().__init__()
        groups, early = config.detector("RESNETS.NUM_GROUPS"), config.detector("RESNETS.STRIDE_IN_1X1")
        channels = config.detector("RESNETS.STEM_OUT_CHANNELS", 64)
        inner = groups * config.detector("RESNETS.WIDTH_PER_GROUP")
        width = config.detector("RESNETS.RES2_OUT_CHANNELS", 256)
        self.stem = nn.ModuleDict({"conv1": ConvFrozenNorm(3, channels, 7, stride=2)})
        self.widths: list[int] = []
        for stage, count in enumerate(_BLOCKS[config.detector("RESNETS.DEPTH")]):
            blocks = []
            for index in range(count):
                stride = 2 if stage and not index else 1
                blocks.append(
                    Bottleneck(channels, inner, width, stride=stride, groups=groups, early_stride=early)
                )
                channels = width
            self.add_module(f"res{stage + 2}", nn.Sequential(*blocks))
            self.widths.append(width)
            inner, width = inner * 2, width * 2

    def forward(self, images: Tensor) -> list[Tensor]:
        """Images (batch, 3, height, width) to the states after each stage."""
        x = F.max_pool2d(self.stem["conv1"](images).relu(), 3, stride=2, padding=1)
        states = []
        for stage in range(2, 6):
            x = self.get_submodule(f"res{stage}")(x)
            states.append(x)
        return states


class FeaturePyramid(nn.Module):
    """The finest level of a pyramid; the weights of the coarser levels' outputs stand in checkpoints."""

    def __init__(self, config: LayoutLMv2Config) -> None:
        super().__init__()
        size = config.detector("FPN.OUT_CHANNELS", 256)
        self.bottom_up = ResNeXt(config)
        for level, width in enumerate(self.bottom_up.widths, start=2):
            self.add_module(f"fpn_lateral{level}", nn.Conv2d(width, size, 1))
            self.add_module(f"fpn_output{level}", nn.Conv2d(size, size, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 3, height, width) to (batch, channels, height / 4, width / 4)."""
        states = self.bottom_up(images)
        merged: Tensor | None = None
        for level, state in reversed(list(enumerate(states, start=2))):
            lateral = self.get_submodule(f"fpn_lateral{level}")(state)
            merged = lateral if merged is None else lateral + F.interpolate(merged, scale_factor=2.0)
        return self.get_submodule("fpn_output2")(merged)


class VisualBackbone(nn.Module):
    """Pages to a grid of `image_feature_pool_shape`."""

    pixel_mean: Tensor
    pixel_std: Tensor

    def __init__(self, config: LayoutLMv2Config) -> None:
        super().__init__()
        self.backbone = FeaturePyramid(config)
        self.grid = tuple(config.image_feature_pool_shape[:2])
        mean, std = config.detector("PIXEL_MEAN", [103.53, 116.28, 123.675]), config.detector("PIXEL_STD")
        self.register_buffer("pixel_mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("pixel_std", torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Pixels (batch, 3, height, width) from 0 to 255, blue first, to (batch, rows * columns, channels).

        Raises:
            ValueError: height or width are no multiples of 32.
        """
        if images.shape[-1] % 32 or images.shape[-2] % 32:
            raise ValueError(f"image of {tuple(images.shape[-2:])}; height and width must be multiples of 32")
        normal = ((images - self.pixel_mean) / self.pixel_std).to(self.backbone.fpn_lateral2.weight.dtype)
        return F.adaptive_avg_pool2d(self.backbone(normal), self.grid).flatten(2).transpose(1, 2)
