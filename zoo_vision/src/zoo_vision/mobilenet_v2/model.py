"""MobileNetV2: inverted residuals, and DeepLabV3+ on top for segmentation."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.loss import pixel_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention, SemanticSegmenterOutput
from zoo_core.nn.recording import HIDDEN_STATES, record, wants
from zoo_vision.mobilenet_v2.config import MobileNetV2Config
from zoo_vision.nn.conv import ConvNorm, InvertedResidual, divisible

CHANNELS = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320]
"""Of the stem and the layers (table 2 of the paper)."""
STRIDES = [2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]


def scaled(config: MobileNetV2Config, channels: int) -> int:
    """Channels times the depth multiplier."""
    width = round(channels * config.depth_multiplier)
    return divisible(width, config.depth_divisible_by, least=config.min_depth)


def conv_options(config: MobileNetV2Config) -> dict[str, Any]:
    """What all convolutions of the network share."""
    return {
        "act": config.hidden_act,
        "eps": config.layer_norm_eps,
        "momentum": 0.997,
        "same": config.tf_padding,
    }


class MobileNetV2PreTrainedModel(PreTrainedModel):
    """What all MobileNetV2 classes share."""

    config_class = MobileNetV2Config
    base_model_prefix = "mobilenet_v2"
    main_input_name = "pixel_values"


class MobileNetV2Stem(nn.Module):
    """A strided convolution and the first inverted residual, whose expansion it may be."""

    expand_1x1: nn.Module | None

    def __init__(self, config: MobileNetV2Config) -> None:
        super().__init__()
        width, options = scaled(config, 32), conv_options(config)
        self.first_conv = ConvNorm(config.num_channels, width, 3, stride=2, **options)
        self.expand_1x1 = None if config.first_layer_is_expansion else ConvNorm(width, width, 1, **options)
        self.conv_3x3 = ConvNorm(width, width, 3, groups=width, **options)
        self.reduce_1x1 = ConvNorm(width, scaled(config, CHANNELS[0]), 1, **{**options, "act": None})

    def forward(self, x: Tensor) -> Tensor:
        x = self.first_conv(x)
        if self.expand_1x1 is not None:
            x = self.expand_1x1(x)
        return self.reduce_1x1(self.conv_3x3(x))


class MobileNetV2Model(MobileNetV2PreTrainedModel):
    """Stem, layers and a last 1x1 convolution; `pooler_output` is the mean over all pixels."""

    hub_names: HubNames = {"stem": "conv_stem", "layers": "layer"}

    def __init__(self, config: MobileNetV2Config, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.add_pooling_layer = add_pooling_layer
        options = conv_options(config)
        widths = [scaled(config, channels) for channels in CHANNELS]
        self.stem = MobileNetV2Stem(config)
        self.layers = nn.ModuleList()
        reached, dilation = 2, 1  # the stem halves the image
        for (width, out_width), wanted in zip(pairwise(widths), STRIDES, strict=True):
            stride, own_dilation = wanted, 1
            if reached == config.output_stride:  # from here on dilate instead
                stride, own_dilation, dilation = 1, dilation, dilation * wanted
            reached *= stride
            inner = divisible(
                round(width * config.expand_ratio), config.depth_divisible_by, least=config.min_depth
            )
            self.layers.append(
                InvertedResidual(width, out_width, inner, stride=stride, dilation=own_dilation, **options)
            )
        fixed = config.finegrained_output and config.depth_multiplier < 1.0
        self.conv_1x1 = ConvNorm(widths[-1], 1280 if fixed else scaled(config, 1280), 1, **options)
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and pooled (batch, width)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = self.stem(pixel_values)
        for layer in self.layers:
            x = layer(x)
            record(HIDDEN_STATES, x)
        x = self.conv_1x1(x)
        pooled = x.mean((-2, -1)) if self.add_pooling_layer else None
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class MobileNetV2ForImageClassification(ForPooledImageClassification, MobileNetV2PreTrainedModel):
    """MobileNetV2 with a classifier on the pooled state."""

    base_class = MobileNetV2Model

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)

    def features_width(self, config: PretrainedConfig) -> int:
        return self.model.conv_1x1.convolution.out_channels

    def features(self, outputs: Any) -> Tensor:
        return self.dropout(super().features(outputs))


class DeepLabV3Plus(nn.Module):
    """Scores of each pixel from the map and its mean (https://arxiv.org/abs/1802.02611)."""

    def __init__(self, config: MobileNetV2Config) -> None:
        super().__init__()
        channels, options = scaled(config, CHANNELS[-1]), {**conv_options(config), "act": "relu", "eps": 1e-5}
        self.conv_pool = ConvNorm(channels, 256, 1, **options)
        self.conv_aspp = ConvNorm(channels, 256, 1, **options)
        self.conv_projection = ConvNorm(512, 256, 1, **options)
        self.dropout = nn.Dropout2d(config.classifier_dropout_prob)
        self.classifier = ConvNorm(256, config.num_labels, 1, act=None, norm=False, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.conv_pool(F.adaptive_avg_pool2d(x, 1))
        pooled = F.interpolate(pooled, size=x.shape[-2:], mode="bilinear", align_corners=True)
        x = self.conv_projection(torch.cat((pooled, self.conv_aspp(x)), dim=1))
        return self.classifier(self.dropout(x))


class MobileNetV2ForSemanticSegmentation(Headed, MobileNetV2PreTrainedModel):
    """MobileNetV2 with DeepLabV3+."""

    base_class = MobileNetV2Model
    base_options = {"add_pooling_layer": False}

    def build_head(self, config: PretrainedConfig) -> None:
        self.segmentation_head = DeepLabV3Plus(config)

    def forward(
        self, pixel_values: Tensor | None = None, *, labels: Tensor | None = None
    ) -> SemanticSegmenterOutput:
        """Logits (batch, labels, h, w) of the last layer's size; `labels` (batch, height, width)."""
        if labels is not None and self.config.num_labels == 1:
            raise ValueError("the loss needs more than one label, but num_labels is 1")
        outputs = self.model(pixel_values, output_hidden_states=True)
        logits = self.segmentation_head(outputs.hidden_states[-1])
        ignored = self.config.semantic_loss_ignore_index
        loss = None if labels is None else pixel_loss(logits, labels, ignored=ignored)
        kept = outputs.hidden_states if wants(HIDDEN_STATES) else None
        return SemanticSegmenterOutput(loss=loss, logits=logits, hidden_states=kept)
