"""EfficientNet: inverted residuals with squeeze and excitation, scaled in width and depth."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention
from zoo_core.nn.activation import activation
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.efficientnet.config import EfficientNetConfig
from zoo_vision.nn.conv import divisible

STEM = 32


class EfficientNetPreTrainedModel(PreTrainedModel):
    """What all EfficientNet classes share."""

    config_class = EfficientNetConfig
    base_model_prefix = "efficientnet"
    main_input_name = "pixel_values"


def scaled(config: EfficientNetConfig, channels: int) -> int:
    """Channels times the width coefficient."""
    return divisible(channels * config.width_coefficient, config.depth_divisor)


def batch_norm(config: EfficientNetConfig, width: int) -> nn.BatchNorm2d:
    """A norm of the network's settings."""
    return nn.BatchNorm2d(width, eps=config.batch_norm_eps, momentum=config.batch_norm_momentum)


class SqueezeExcite(nn.Module):
    """Weights each channel by what the means of all channels say (https://arxiv.org/abs/1709.01507)."""

    def __init__(self, config: EfficientNetConfig, channels: int, width: int) -> None:
        super().__init__()
        inner = max(1, int(channels * config.squeeze_expansion_ratio))
        self.reduce, self.expand = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)
        self.act = activation(config.hidden_act)

    def forward(self, x: Tensor) -> Tensor:
        means = F.adaptive_avg_pool2d(x, 1)
        return x * torch.sigmoid(self.expand(self.act(self.reduce(means))))


class EfficientNetBlock(nn.Module):
    """1x1 to more channels, k x k in each channel, squeeze and excitation, 1x1 to fewer.

    Args:
        even: a strided convolution pads all sides alike, not the right and the bottom more.
        residual: the input is added.
    """

    hub_names: HubNames = {
        "expand_conv": "expansion.expand_conv",
        "expand_bn": "expansion.expand_bn",
        "depthwise_conv": "depthwise_conv.depthwise_conv",
        "depthwise_norm": "depthwise_conv.depthwise_norm",
        "project_conv": "projection.project_conv",
        "project_bn": "projection.project_bn",
    }
    expand_conv: nn.Module | None

    def __init__(
        self,
        config: EfficientNetConfig,
        channels: int,
        out_channels: int,
        *,
        kernel: int,
        stride: int,
        expand_ratio: int,
        drop_rate: float,
        even: bool,
        residual: bool,
    ) -> None:
        super().__init__()
        width = channels * expand_ratio
        self.expand_conv = None
        if expand_ratio != 1:
            self.expand_conv = nn.Conv2d(channels, width, 1, bias=False)
            self.expand_bn = batch_norm(config, width)
        side = kernel // 2
        self.padding = (side, side) * 2 if even or stride == 1 else (side - 1, side) * 2
        self.depthwise_conv = nn.Conv2d(width, width, kernel, stride, groups=width, bias=False)
        self.depthwise_norm = batch_norm(config, width)
        self.squeeze_excite = SqueezeExcite(config, channels, width)
        self.project_conv = nn.Conv2d(width, out_channels, 1, bias=False)
        self.project_bn = batch_norm(config, out_channels)
        self.act = activation(config.hidden_act)
        self.residual, self.dropout = residual, nn.Dropout(drop_rate)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand_conv is None else self.act(self.expand_bn(self.expand_conv(x)))
        y = self.act(self.depthwise_norm(self.depthwise_conv(F.pad(y, self.padding))))
        y = self.project_bn(self.project_conv(self.squeeze_excite(y)))
        return x + self.dropout(y) if self.residual else y


class EfficientNetModel(EfficientNetPreTrainedModel):
    """A strided convolution, blocks, a 1x1 convolution, and the mean or maximum over all pixels."""

    hub_names: HubNames = {
        "stem": "embeddings.convolution",
        "stem_bn": "embeddings.batchnorm",
        "blocks": "encoder.blocks",
        "top_conv": "encoder.top_conv",
        "top_bn": "encoder.top_bn",
    }
    #: whether a 1x1 convolution follows the blocks
    top: ClassVar[bool] = True

    def __init__(self, config: EfficientNetConfig) -> None:
        super().__init__(config)
        if config.pooling_type not in ("mean", "max"):
            raise ConfigError(f"pooling_type must be 'mean' or 'max', got {config.pooling_type!r}")
        stem = scaled(config, STEM)
        self.stem = nn.Conv2d(config.num_channels, stem, 3, 2, bias=False)
        self.stem_bn = batch_norm(config, stem)
        self.blocks = nn.ModuleList(self._blocks(config))
        if self.top:
            top = scaled(config, 1280)
            self.top_conv = nn.Conv2d(scaled(config, config.out_channels[-1]), top, 1, bias=False)
            self.top_bn = batch_norm(config, top)
        self.act = activation(config.hidden_act)
        self.post_init()

    @staticmethod
    def _blocks(config: EfficientNetConfig) -> list[EfficientNetBlock]:
        total = sum(config.blocks(stage) for stage in range(len(config.in_channels)))
        blocks: list[EfficientNetBlock] = []
        for stage, kernel in enumerate(config.kernel_sizes):
            width = scaled(config, config.out_channels[stage])
            for i in range(config.blocks(stage)):
                number = len(blocks)
                stride = config.strides[stage] if i == 0 else 1
                blocks.append(
                    EfficientNetBlock(
                        config,
                        scaled(config, config.in_channels[stage]) if i == 0 else width,
                        width,
                        kernel=kernel,
                        stride=stride,
                        expand_ratio=config.expand_ratios[stage],
                        drop_rate=config.drop_connect_rate * number / total,
                        even=number in config.depthwise_padding,
                        residual=i > 0,
                    )
                )
        return blocks

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled (batch, width)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = self.act(self.stem_bn(self.stem(F.pad(pixel_values, (0, 1, 0, 1)))))
        record(HIDDEN_STATES, x)
        for block in self.blocks:
            x = block(x)
            record(HIDDEN_STATES, x)
        if self.top:
            x = self.act(self.top_bn(self.top_conv(x)))
        pooled = x.mean((-2, -1)) if self.config.pooling_type == "mean" else x.amax((-2, -1))
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class EfficientNetForImageClassification(ForPooledImageClassification, EfficientNetPreTrainedModel):
    """EfficientNet with a classifier on the pooled state."""

    base_class = EfficientNetModel

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.dropout = nn.Dropout(config.dropout_rate)

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_dim

    def features(self, outputs: Any) -> Tensor:
        return self.dropout(super().features(outputs))
