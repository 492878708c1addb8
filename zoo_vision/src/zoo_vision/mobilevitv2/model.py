"""MobileViTV2: MobileViT with attention at a cost linear in the patches."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForPooledImageClassification
from zoo_core.nn.activation import activation
from zoo_vision.mobilevit.model import (
    MobileNetLayer,
    MobileViTForSemanticSegmentation,
    MobileViTModel,
    MobileViTPreTrainedModel,
    dilations,
    from_patches,
    inverted_residual,
    to_patches,
)
from zoo_vision.mobilevitv2.config import MobileViTV2Config
from zoo_vision.nn.conv import ConvNorm, divisible


class MobileViTV2PreTrainedModel(MobileViTPreTrainedModel):
    """What all MobileViTV2 classes share."""

    config_class = MobileViTV2Config
    base_model_prefix = "mobilevitv2"


def widths(config: MobileViTV2Config) -> list[int]:
    """Channels of the stem and of the five stages."""
    factor = config.width_multiplier
    stem = divisible(min(max(32 * factor, 16), 64), 8, least=16)
    first = divisible(64 * factor, 16)
    return [stem, first, *(divisible(size * factor, 8) for size in (128, 256, 384, 512))]


class SeparableAttention(nn.Module):
    """One vector for all patches, a mean of their keys by one score each, weighs the values of each patch.

    It runs over the patches, apart for each place in a patch.
    """

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        self.sizes = [1, size, size]
        self.qkv = nn.Conv2d(size, sum(self.sizes), 1)
        self.o_proj, self.dropout = nn.Conv2d(size, size, 1), nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, size, places, patches) to the same shape."""
        query, key, value = self.qkv(x).split(self.sizes, dim=1)
        weights = self.dropout(query.softmax(-1))
        return self.o_proj(F.relu(value) * (key * weights).sum(-1, keepdim=True))


class SeparableLayer(nn.Module):
    """Separable attention and a feed-forward block."""

    hub_names: HubNames = {
        "input_layernorm": "layernorm_before",
        "self_attn.qkv": "attention.qkv_proj.convolution",
        "self_attn.o_proj": "attention.out_proj.convolution",
        "post_attention_layernorm": "layernorm_after",
        "fc1": "ffn.conv1.convolution",
        "fc2": "ffn.conv2.convolution",
    }

    def __init__(self, config: MobileViTV2Config, size: int) -> None:
        super().__init__()
        inner = int(config.ffn_multiplier * size) // 16 * 16
        norm = partial(nn.GroupNorm, 1, size, eps=config.layer_norm_eps)
        self.input_layernorm, self.post_attention_layernorm = norm(), norm()
        self.self_attn = SeparableAttention(size, config.attn_dropout)
        self.fc1, self.fc2 = nn.Conv2d(size, inner, 1), nn.Conv2d(inner, size, 1)
        self.act = activation(config.hidden_act)
        self.attention_dropout = nn.Dropout(config.attn_dropout)
        self.dropout = nn.Dropout(config.ffn_dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, size, places, patches) to the same shape."""
        x = x + self.attention_dropout(self.self_attn(self.input_layernorm(x)))
        y = self.dropout(self.act(self.fc1(self.post_attention_layernorm(x))))
        return x + self.dropout(self.fc2(y))


class MobileViTV2Layer(nn.Module):
    """A strided residual, a convolution in each channel, and a transformer over distant pixels.

    With `dilation` the residual does not stride but dilates. What is left of the map beside whole patches
    goes on as zeros.
    """

    hub_names: HubNames = {"layers": "transformer.layer", "norm": "layernorm"}

    def __init__(
        self,
        config: MobileViTV2Config,
        channels: int,
        out_channels: int,
        size: int,
        *,
        count: int,
        dilation: int = 1,
    ) -> None:
        super().__init__()
        self.patch, stride = config.patch_size, 2 if dilation == 1 else 1
        self.downsampling_layer = inverted_residual(
            config, channels, out_channels, stride=stride, dilation=max(dilation // 2, 1)
        )
        self.conv_kxk = ConvNorm(
            out_channels, out_channels, config.conv_kernel_size, groups=out_channels, act=config.hidden_act
        )
        self.conv_1x1 = ConvNorm(out_channels, size, 1, act=None, norm=False)
        self.layers = nn.Sequential(*(SeparableLayer(config, size) for _ in range(count)))
        self.norm = nn.GroupNorm(1, size, eps=config.layer_norm_eps)
        self.conv_projection = ConvNorm(size, out_channels, 1, act=None)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_1x1(self.conv_kxk(self.downsampling_layer(x)))
        rows, columns = (n // self.patch for n in x.shape[-2:])
        left_down, left_across = (n % self.patch for n in x.shape[-2:])
        whole = x[:, :, : rows * self.patch, : columns * self.patch]
        seen = from_patches(self.norm(self.layers(to_patches(whole, self.patch))), self.patch, columns)
        return self.conv_projection(F.pad(seen, (0, left_across, 0, left_down)))


class MobileViTV2Model(MobileViTModel, MobileViTV2PreTrainedModel):
    """Stem, two stages of residuals and three with transformers; pooled unless switched off."""

    def build(self, config: MobileViTV2Config, expand_output: bool) -> None:
        stem, *sizes = widths(config)
        self.conv_stem = ConvNorm(config.num_channels, stem, 3, stride=2, act=config.hidden_act)
        self.layers = nn.ModuleList(
            [
                MobileNetLayer(config, stem, sizes[0], stride=1, count=1),
                MobileNetLayer(config, sizes[0], sizes[1], stride=2, count=2),
            ]
        )
        rates = (1, *dilations(config.output_stride))
        for i, (units, count) in enumerate(
            zip(config.base_attn_unit_dims, config.n_attn_blocks, strict=True)
        ):
            size = divisible(units * config.width_multiplier, 8)
            self.layers.append(
                MobileViTV2Layer(config, sizes[i + 1], sizes[i + 2], size, count=count, dilation=rates[i])
            )
        self.conv_1x1_exp = nn.Identity() if expand_output else None


class MobileViTV2ForImageClassification(ForPooledImageClassification, MobileViTV2PreTrainedModel):
    """MobileViTV2 with a classifier on the pooled state."""

    base_class = MobileViTV2Model

    def features_width(self, config: Any) -> int:
        return widths(config)[-1]


class MobileViTV2ForSemanticSegmentation(MobileViTForSemanticSegmentation, MobileViTV2PreTrainedModel):
    """MobileViTV2 with DeepLabV3."""

    base_class = MobileViTV2Model

    def map_width(self, config: PretrainedConfig) -> int:
        return widths(config)[-1]  # type: ignore[arg-type]
