"""RT-DETR's ResNet: three small convolutions in the stem, and shortcuts that average before they stride."""

from __future__ import annotations

from typing import Any

from torch import nn

from zoo_vision.nn.conv import ConvNorm
from zoo_vision.resnet.config import ResNetConfig
from zoo_vision.resnet.model import ResidualConvs, ResNetBackbone, ResNetModel, ResNetStage
from zoo_vision.rt_detr.config import RTDetrResNetConfig


class RTDetrResidualConvs(ResidualConvs):
    """A strided shortcut is a mean over 2x2 pixels and a 1x1 convolution (https://arxiv.org/abs/1812.01187)."""

    def make_shortcut(self, channels: int, width: int, stride: int) -> nn.Module:
        if stride == 1:
            return super().make_shortcut(channels, width, stride)
        pool = nn.AvgPool2d(2, 2, ceil_mode=True)
        return nn.Sequential(pool, ConvNorm(channels, width, 1, act=None))


def deep_stem(channels: int, width: int, act: str) -> nn.Module:
    """Three 3x3 convolutions, the first of stride 2, in place of one of 7x7."""
    return nn.Sequential(
        ConvNorm(channels, width // 2, stride=2, act=act),
        ConvNorm(width // 2, width // 2, act=act),
        ConvNorm(width // 2, width, act=act),
    )


class RTDetrResNetStage(ResNetStage):
    """Residual convolutions of one size."""

    layer_class = RTDetrResidualConvs

    def __init__(self, config: ResNetConfig, index: int) -> None:
        super().__init__(config, index)
        first: Any = self.layers[0]
        conv: nn.Conv2d = first.layer[0].convolution
        if config.layer_type == "basic" and conv.in_channels == conv.out_channels:  # it has one all the same
            width, stride = conv.out_channels, conv.stride[0]
            first.shortcut = ConvNorm(width, width, 1, stride=stride, act=None)


class RTDetrResNetModel(ResNetModel):
    """A stem of three 3x3 convolutions, and stages."""

    config_class = RTDetrResNetConfig
    stage_class = RTDetrResNetStage

    def make_stem(self, config: ResNetConfig) -> nn.Module:
        return deep_stem(config.num_channels, config.embedding_size, config.hidden_act)


class RTDetrResNetBackbone(ResNetBackbone):
    """The network that returns the maps of some stages."""

    config_class = RTDetrResNetConfig
    base_class = RTDetrResNetModel
