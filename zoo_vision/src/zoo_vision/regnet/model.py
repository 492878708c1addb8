"""RegNet: a ResNet of grouped convolutions, found by narrowing a design space."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.nn.activation import activation
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.regnet.config import RegNetConfig
from zoo_vision.resnet.model import (
    ResidualConvs,
    ResNetForImageClassification,
    ResNetModel,
    ResNetPreTrainedModel,
    ResNetStage,
)


class RegNetPreTrainedModel(ResNetPreTrainedModel):
    """What all RegNet classes share."""

    config_class = RegNetConfig
    base_model_prefix = "regnet"


class SqueezeExcitation(nn.Module):
    """Weighs channels by what all pixels say together (https://arxiv.org/abs/1709.01507)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.Conv2d(width, inner, 1), nn.ReLU(), nn.Conv2d(inner, width, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.attention(x.mean((2, 3), keepdim=True))


class RegNetConvs(ResidualConvs):
    """1x1, 3x3 in groups, weights of channels where wanted, 1x1, added to the input."""

    def __init__(self, config: RegNetConfig, channels: int, width: int, stride: int) -> None:
        nn.Module.__init__(self)
        act, groups = config.hidden_act, max(1, width // config.groups_width)
        self.act = activation(act)
        self.shortcut = self.make_shortcut(channels, width, stride)
        parts: list[nn.Module] = [
            ConvNorm(channels, width, 1, act=act),
            ConvNorm(width, width, stride=stride, groups=groups, act=act),
        ]
        if config.layer_type == "y":
            parts.append(SqueezeExcitation(width, round(channels / 4)))
        self.layer = nn.Sequential(*parts, ConvNorm(width, width, 1, act=None))


class RegNetStage(ResNetStage):
    """Layers of one width, the first of which changes the size."""

    def __init__(self, config: RegNetConfig, index: int) -> None:
        nn.Module.__init__(self)
        width = config.hidden_sizes[index]
        before = config.hidden_sizes[index - 1] if index else config.embedding_size
        first = 2 if index or config.downsample_in_first_stage else 1
        self.layers = nn.Sequential(
            RegNetConvs(config, before, width, first),
            *(RegNetConvs(config, width, width, 1) for _ in range(1, config.depths[index])),
        )


class RegNetModel(ResNetModel, RegNetPreTrainedModel):
    """A stem and stages; `pooler_output` (batch, width, 1, 1) is the mean over all pixels."""

    stage_class = RegNetStage

    def make_stem(self, config: RegNetConfig) -> nn.Module:  # type: ignore[override]
        return ConvNorm(config.num_channels, config.embedding_size, stride=2, act=config.hidden_act)

    def pool(self, x: Tensor) -> Tensor:
        return x


class RegNetForImageClassification(ResNetForImageClassification, RegNetPreTrainedModel):
    """A classifier on the pooled state."""

    base_class = RegNetModel
