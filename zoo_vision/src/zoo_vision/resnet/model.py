"""ResNet: stages of residual convolutions."""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.backbone import Backbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention
from zoo_core.nn.activation import activation
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.resnet.config import ResNetConfig


class ResNetPreTrainedModel(PreTrainedModel):
    """What all ResNet classes share."""

    config_class = ResNetConfig
    base_model_prefix = "resnet"
    main_input_name = "pixel_values"

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))
            nn.init.zeros_(module.bias)
        else:
            super()._init_weights(module)


class ResidualConvs(nn.Module):
    """act(shortcut(x) + convs(x)), where a 1x1 convolution is the shortcut if shapes differ.

    Args:
        kind: "basic", two 3x3, or "bottleneck", 1x1 to a quarter, 3x3, 1x1.
        early_stride: a bottleneck strides in its first convolution, not in its second.
        dilations: of the first 3x3 convolution and of the next.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        *,
        kind: str,
        stride: int,
        act: str,
        early_stride: bool = False,
        dilations: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__()
        self.act = activation(act)
        self.shortcut = self.make_shortcut(channels, width, stride)
        if kind == "basic":
            convs = [
                ConvNorm(channels, width, stride=stride, dilation=dilations[0], act=act),
                ConvNorm(width, width, dilation=dilations[1], act=None),
            ]
        else:
            inner, first, second = width // 4, stride if early_stride else 1, 1 if early_stride else stride
            convs = [
                ConvNorm(channels, inner, 1, stride=first, act=act),
                ConvNorm(inner, inner, stride=second, dilation=dilations[0], act=act),
                ConvNorm(inner, width, 1, act=None),
            ]
        self.layer = nn.Sequential(*convs)

    def make_shortcut(self, channels: int, width: int, stride: int) -> nn.Module:
        """What the input passes through before it is added."""
        if channels == width and stride == 1:
            return nn.Identity()
        return ConvNorm(channels, width, 1, stride=stride, act=None)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.layer(x) + self.shortcut(x))


class ResNetStage(nn.Module):
    """Residual convolutions of one size, the first of which changes the size."""

    layer_class: type[ResidualConvs] = ResidualConvs

    def __init__(self, config: ResNetConfig, index: int) -> None:
        super().__init__()
        width = config.hidden_sizes[index]
        before = config.embedding_size if index == 0 else config.hidden_sizes[index - 1]
        first_stride = 2 if index > 0 or config.downsample_in_first_stage else 1
        self.layers = nn.Sequential(
            *(
                self.layer_class(
                    before if i == 0 else width,
                    width,
                    kind=config.layer_type,
                    stride=first_stride if i == 0 else 1,
                    act=config.hidden_act,
                    early_stride=config.downsample_in_bottleneck,
                )
                for i in range(config.depths[index])
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class ResNetModel(ResNetPreTrainedModel):
    """A stem and stages; `pooler_output` (batch, width, 1, 1) is the mean over all pixels."""

    hub_names: HubNames = {"stem": "embedder.embedder", "stages": "encoder.stages"}
    stage_class: type[ResNetStage] = ResNetStage

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__(config)
        self.stem = self.make_stem(config)
        self.stages = nn.ModuleList(self.stage_class(config, i) for i in range(len(config.depths)))
        self.post_init()

    def make_stem(self, config: ResNetConfig) -> nn.Module:
        """Convolutions before the pooling."""
        return ConvNorm(config.num_channels, config.embedding_size, 7, stride=2, act=config.hidden_act)

    def pool(self, x: Tensor) -> Tensor:
        """What follows the stem."""
        return F.max_pool2d(x, 3, 2, padding=1)

    def forward(self, pixel_values: Tensor) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled."""
        if pixel_values.shape[1] != self.config.num_channels:
            raise ValueError(
                f"pixel_values have {pixel_values.shape[1]} channels, not {self.config.num_channels}"
            )
        x = self.pool(self.stem(pixel_values))
        record(HIDDEN_STATES, x)
        for stage in self.stages:
            x = stage(x)
            record(HIDDEN_STATES, x)
        pooled = F.adaptive_avg_pool2d(x, 1)
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class ResNetForImageClassification(ForPooledImageClassification, ResNetPreTrainedModel):
    """ResNet with a classifier on the pooled state."""

    base_class = ResNetModel
    head_names = {"classifier": "classifier.1"}

    def features_width(self, config: PretrainedConfig) -> int:
        return config.hidden_sizes[-1]


class ResNetBackbone(Backbone, ResNetPreTrainedModel):
    """ResNet that returns the maps of some stages."""

    base_class = ResNetModel

    @property
    def num_features(self) -> list[int]:
        return [self.config.embedding_size, *self.config.hidden_sizes]
