"""MobileNetV1: convolutions in each channel alone, and 1x1 convolutions between them."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.mobilenet_v1.config import MobileNetV1Config
from zoo_vision.nn.conv import ConvNorm

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


class MobileNetV1PreTrainedModel(PreTrainedModel):
    """What all MobileNetV1 classes share."""

    config_class = MobileNetV1Config
    base_model_prefix = "mobilenet_v1"
    main_input_name = "pixel_values"


class MobileNetV1Model(MobileNetV1PreTrainedModel):
    """A stem and pairs of convolutions, the states after each of which are recorded."""

    hub_names: HubNames = {"stem": "conv_stem", "layers": "layer"}

    def __init__(self, config: MobileNetV1Config, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.add_pooling_layer = add_pooling_layer
        options: dict[str, Any] = {
            "act": config.hidden_act,
            "eps": config.layer_norm_eps,
            "momentum": 0.9997,
            "same": config.tf_padding,
        }
        depth, width = 32, self.scaled(32)
        self.stem = ConvNorm(config.num_channels, width, stride=2, **options)
        self.layers = nn.ModuleList()
        for i, stride in enumerate(STRIDES):
            depth *= 2 if stride == 2 or i == 0 else 1
            before, width = width, self.scaled(depth)
            self.layers.append(ConvNorm(before, before, stride=stride, groups=before, **options))
            self.layers.append(ConvNorm(before, width, 1, **options))
        self.width = width
        self.post_init()

    def scaled(self, channels: int) -> int:
        """Channels times the depth multiplier."""
        return max(int(channels * self.config.depth_multiplier), self.config.min_depth)

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled (batch, width)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = self.stem(pixel_values)
        for layer in self.layers:
            x = layer(x)
            record(HIDDEN_STATES, x)
        pooled = x.mean((-2, -1)) if self.add_pooling_layer else None
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class MobileNetV1ForImageClassification(ForPooledImageClassification, MobileNetV1PreTrainedModel):
    """MobileNetV1 with a classifier on the pooled state."""

    base_class = MobileNetV1Model

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)

    def features_width(self, config: PretrainedConfig) -> int:
        return self.model.width

    def features(self, outputs: Any) -> Tensor:
        return self.dropout(super().features(outputs))
