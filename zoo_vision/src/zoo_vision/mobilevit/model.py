"""MobileViT: inverted residuals, with transformers over the pixels at one place of every patch."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.modeling.loss import pixel_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndNoAttention, SemanticSegmenterOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record, wants
from zoo_vision.mobilevit.config import MobileViTConfig
from zoo_vision.nn.conv import ConvNorm, InvertedResidual, divisible
from zoo_vision.nn.upernet import stretch


class MobileViTPreTrainedModel(PreTrainedModel):
    """What all MobileViT classes share."""

    config_class = MobileViTConfig
    base_model_prefix = "mobilevit"
    main_input_name = "pixel_values"


def inverted_residual(
    config: PretrainedConfig, channels: int, out_channels: int, *, stride: int, dilation: int = 1
) -> InvertedResidual:
    """With the network's expansion and activation."""
    width = divisible(round(channels * config.expand_ratio), 8)
    return InvertedResidual(
        channels, out_channels, width, stride=stride, dilation=dilation, act=config.hidden_act
    )


def to_patches(x: Tensor, side: int) -> Tensor:
    """(batch, channels, h, w) of whole patches to (batch, channels, places in a patch, patches)."""
    x = x.unflatten(3, (-1, side)).unflatten(2, (-1, side))  # batch, channels, row, y, column, x
    return x.permute(0, 1, 3, 5, 2, 4).flatten(4, 5).flatten(2, 3)


def from_patches(x: Tensor, side: int, columns: int) -> Tensor:
    """The inverse of `to_patches` for a map of so many columns of patches."""
    x = x.unflatten(3, (-1, columns)).unflatten(2, (side, side)).permute(0, 1, 4, 2, 5, 3)
    return x.flatten(4, 5).flatten(2, 3)


class MobileNetLayer(nn.Module):
    """Inverted residuals, the first of which may stride."""

    def __init__(
        self, config: PretrainedConfig, channels: int, out_channels: int, *, stride: int, count: int
    ) -> None:
        super().__init__()
        first = inverted_residual(config, channels, out_channels, stride=stride)
        rest = (inverted_residual(config, out_channels, out_channels, stride=1) for _ in range(count - 1))
        self.layer = nn.Sequential(first, *rest)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class MobileViTTransformerLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = VIT_LAYER

    def __init__(self, config: MobileViTConfig, size: int) -> None:
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size,
                config.num_attention_heads,
                bias=config.qkv_bias,
                out_bias=True,
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=MLP(size, int(size * config.mlp_ratio), config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


class MobileViTLayer(nn.Module):
    """A strided residual, a convolution, a transformer over distant pixels, and both joined.

    Pixels at one place of every patch attend to each other, so the transformer runs patch x patch times.
    With `dilation` the residual does not stride but dilates.
    """

    hub_names: HubNames = {"layers": "transformer.layer", "norm": "layernorm"}

    def __init__(
        self,
        config: MobileViTConfig,
        channels: int,
        out_channels: int,
        size: int,
        *,
        count: int,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.patch, kernel, act = config.patch_size, config.conv_kernel_size, config.hidden_act
        self.downsampling_layer = inverted_residual(
            config,
            channels,
            out_channels,
            stride=2 if dilation == 1 else 1,
            dilation=max(dilation // 2, 1),
        )
        self.conv_kxk = ConvNorm(out_channels, out_channels, kernel, act=act)
        self.conv_1x1 = ConvNorm(out_channels, size, 1, act=None, norm=False)
        self.layers = nn.ModuleList(MobileViTTransformerLayer(config, size) for _ in range(count))
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.conv_projection = ConvNorm(size, out_channels, 1, act=act)
        self.fusion = ConvNorm(2 * out_channels, out_channels, kernel, act=act)

    def forward(self, x: Tensor) -> Tensor:
        x = self.downsampling_layer(x)
        y = self.conv_1x1(self.conv_kxk(x))
        whole = [-(-n // self.patch) * self.patch for n in y.shape[-2:]]
        stretched = whole != list(y.shape[-2:])
        even = F.interpolate(y, size=whole, mode="bilinear", align_corners=False) if stretched else y
        places = to_patches(even, self.patch).permute(0, 2, 3, 1)
        hidden = places.flatten(0, 1)
        context = AttentionContext(hidden)
        for layer in self.layers:
            hidden = layer(hidden, context)
        hidden = self.norm(hidden).view(places.shape).permute(0, 3, 1, 2)
        seen = from_patches(hidden, self.patch, whole[1] // self.patch)
        y = self.conv_projection(stretch(seen, y) if stretched else seen)
        return self.fusion(torch.cat((x, y), dim=1))


def dilations(output_stride: int) -> tuple[int, int]:
    """Of the last two stages, which dilate where the map shall not become smaller."""
    fourth = 2 if output_stride == 8 else 1
    return fourth, fourth * (2 if output_stride in (8, 16) else 1)


class MobileViTModel(MobileViTPreTrainedModel):
    """Stem, two stages of residuals, three with transformers, and unless switched off a last convolution."""

    hub_names: HubNames = {"layers": "encoder.layer"}
    conv_1x1_exp: nn.Module | None

    def __init__(self, config: MobileViTConfig, expand_output: bool = True) -> None:
        super().__init__(config)
        self.build(config, expand_output)
        self.post_init()

    def build(self, config: Any, expand_output: bool) -> None:
        """Create the stem, the stages and, where wanted, what widens the last map."""
        neck, sizes, stride = config.neck_hidden_sizes, config.hidden_sizes, config.output_stride
        self.conv_stem = ConvNorm(config.num_channels, neck[0], 3, stride=2, act=config.hidden_act)
        fourth, fifth = dilations(stride)
        self.layers = nn.ModuleList(
            [
                MobileNetLayer(config, neck[0], neck[1], stride=1, count=1),
                MobileNetLayer(config, neck[1], neck[2], stride=2, count=3),
                MobileViTLayer(config, neck[2], neck[3], sizes[0], count=2),
                MobileViTLayer(config, neck[3], neck[4], sizes[1], count=4, dilation=fourth),
                MobileViTLayer(config, neck[4], neck[5], sizes[2], count=3, dilation=fifth),
            ]
        )
        self.conv_1x1_exp = ConvNorm(neck[5], neck[6], 1, act=config.hidden_act) if expand_output else None

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithPoolingAndNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w) and its mean."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = self.conv_stem(pixel_values)
        for layer in self.layers:
            x = layer(x)
            record(HIDDEN_STATES, x)
        if self.conv_1x1_exp is None:
            return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x)
        x = self.conv_1x1_exp(x)
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=x.mean((-2, -1)))


class MobileViTForImageClassification(ForPooledImageClassification, MobileViTPreTrainedModel):
    """MobileViT with a classifier on the pooled state."""

    base_class = MobileViTModel

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.dropout = nn.Dropout(config.classifier_dropout_prob)

    def features_width(self, config: PretrainedConfig) -> int:
        return config.neck_hidden_sizes[-1]

    def features(self, outputs: Any) -> Tensor:
        return self.dropout(super().features(outputs))


class _Pooled(nn.Module):
    """The mean over all pixels through a convolution, at every pixel."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.conv_1x1 = ConvNorm(channels, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return stretch(self.conv_1x1(F.adaptive_avg_pool2d(x, 1)), x)


class DilatedPyramid(nn.Module):
    """Convolutions of growing dilation and the mean, joined (https://arxiv.org/abs/1706.05587)."""

    def __init__(self, channels: int, width: int, rates: list[int], dropout: float) -> None:
        super().__init__()
        dilated = (ConvNorm(channels, width, 3, dilation=rate) for rate in rates)
        self.convs = nn.ModuleList([ConvNorm(channels, width, 1), *dilated, _Pooled(channels, width)])
        self.project = ConvNorm((len(rates) + 2) * width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.project(torch.cat([conv(x) for conv in self.convs], dim=1)))


class DeepLabV3(nn.Module):
    """Scores of each pixel from a pyramid of dilated convolutions."""

    def __init__(self, config: PretrainedConfig, channels: int) -> None:
        super().__init__()
        width = config.aspp_out_channels
        self.aspp = DilatedPyramid(channels, width, config.atrous_rates, config.aspp_dropout_prob)
        self.dropout = nn.Dropout2d(config.classifier_dropout_prob)
        self.classifier = ConvNorm(width, config.num_labels, 1, act=None, norm=False, bias=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.dropout(self.aspp(x)))


class MobileViTForSemanticSegmentation(Headed, MobileViTPreTrainedModel):
    """MobileViT with DeepLabV3."""

    base_class = MobileViTModel
    base_options = {"expand_output": False}

    def build_head(self, config: PretrainedConfig) -> None:
        self.segmentation_head = DeepLabV3(config, self.map_width(config))

    def map_width(self, config: PretrainedConfig) -> int:
        """Channels of the last map."""
        return config.neck_hidden_sizes[-2]

    def forward(
        self, pixel_values: Tensor | None = None, *, labels: Tensor | None = None
    ) -> SemanticSegmenterOutput:
        """Logits (batch, labels, h, w) of the last map's size; `labels` (batch, height, width)."""
        if labels is not None and self.config.num_labels == 1:
            raise ValueError("the loss needs more than one label, but num_labels is 1")
        outputs = self.model(pixel_values)
        logits = self.segmentation_head(outputs.last_hidden_state)
        ignored = self.config.semantic_loss_ignore_index
        loss = None if labels is None else pixel_loss(logits, labels, ignored=ignored)
        kept = outputs.get("hidden_states") if wants(HIDDEN_STATES) else None
        return SemanticSegmenterOutput(loss=loss, logits=logits, hidden_states=kept)
