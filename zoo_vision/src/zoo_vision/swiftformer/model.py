"""SwiftFormer: convolutions, and in the last layer of each stage attention at a cost linear in the pixels."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Reshaped
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithNoAttention, ImageClassifierOutputWithNoAttention
from zoo_core.nn.activation import activation
from zoo_core.nn.drop_path import DropPath, drop_rates
from zoo_core.nn.stack import run_layers
from zoo_vision.nn.conv import ConvNorm
from zoo_vision.nn.norm import channel_scale
from zoo_vision.swiftformer.config import SwiftFormerConfig


class SwiftFormerPreTrainedModel(PreTrainedModel):
    """What all SwiftFormer classes share."""

    config_class = SwiftFormerConfig
    base_model_prefix = "swiftformer"
    main_input_name = "pixel_values"


class ConvLayer(nn.Module):
    """3x3 convolution in each channel, norm, and a feed-forward block in each pixel."""

    hub_names: HubNames = {
        "dwconv": "depth_wise_conv",
        "fc1": "point_wise_conv1",
        "fc2": "point_wise_conv2",
        "layer_scale.weight": Reshaped("layer_scale", (-1, 1, 1)),
    }

    def __init__(self, config: SwiftFormerConfig, width: int, inner: int, *, drop_path: float = 0.0) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.norm = nn.BatchNorm2d(width, eps=config.batch_norm_eps)
        self.fc1, self.fc2 = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)
        self.layer_scale = channel_scale(width, 1.0)
        self.dropout, self.drop_path = nn.Dropout(config.drop_conv_encoder_rate), DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        y = self.fc2(F.gelu(self.fc1(self.norm(self.dwconv(x)))))
        return x + self.drop_path(self.layer_scale(self.dropout(y)))


class AdditiveAttention(nn.Module):
    """One query for the whole map, the sum of all cells' queries, with which each key is multiplied."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_query, self.to_key = nn.Linear(width, width), nn.Linear(width, width)
        self.w_g = nn.Parameter(torch.zeros(width, 1))
        self.proj, self.final = nn.Linear(width, width), nn.Linear(width, width)
        self.scale = width**-0.5

    def reset_parameters(self) -> None:
        nn.init.normal_(self.w_g)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, cells, width) to the same shape."""
        query, key = F.normalize(self.to_query(x), dim=-1), F.normalize(self.to_key(x), dim=-1)
        # as released, softmax runs over the one weight of a cell, not over the cells: all weights are 1
        weights = (query @ self.w_g * self.scale).softmax(-1)
        whole = (weights * query).sum(1, keepdim=True)
        return self.final(self.proj(whole * key) + query)


class PixelMLP(nn.Module):
    """A norm and a feed-forward block in each pixel."""

    hub_names: HubNames = {"norm": "norm1"}

    def __init__(self, config: SwiftFormerConfig, width: int) -> None:
        super().__init__()
        inner = int(width * config.mlp_ratio)
        self.norm = nn.BatchNorm2d(width, eps=config.batch_norm_eps)
        self.fc1, self.fc2 = nn.Conv2d(width, inner, 1), nn.Conv2d(inner, width, 1)
        self.act, self.dropout = activation(config.hidden_act), nn.Dropout(config.drop_mlp_rate)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(self.fc2(self.dropout(self.act(self.fc1(self.norm(x))))))


class AttentionLayer(nn.Module):
    """Convolutions, additive attention and a feed-forward block."""

    hub_names: HubNames = {
        "mlp": "linear",
        **{f"layer_scale{i}.weight": Reshaped(f"layer_scale_{i}", (-1, 1, 1)) for i in (1, 2)},
    }

    def __init__(self, config: SwiftFormerConfig, width: int, drop_path: float) -> None:
        super().__init__()
        self.local_representation = ConvLayer(config, width, width)
        self.attn, self.mlp = AdditiveAttention(width), PixelMLP(config, width)
        scale = config.layer_scale_init_value if config.use_layer_scale else None
        self.layer_scale1, self.layer_scale2 = channel_scale(width, scale), channel_scale(width, scale)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        x = self.local_representation(x)
        seen = self.attn(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, x.shape[2:])
        x = x + self.drop_path(self.layer_scale1(seen))
        return x + self.drop_path(self.layer_scale2(self.mlp(x)))


class SwiftFormerStage(nn.Module):
    """Layers of one width; the last one attends."""

    def __init__(self, config: SwiftFormerConfig, index: int, rates: Iterator[float]) -> None:
        super().__init__()
        width, depth = config.embed_dims[index], config.depths[index]
        inner = int(width * config.mlp_ratio)
        self.blocks = nn.Sequential(
            *(ConvLayer(config, width, inner, drop_path=next(rates)) for _ in range(depth - 1)),
            AttentionLayer(config, width, next(rates)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(x)


class Shrink(ConvNorm):
    """A convolution that makes the map smaller."""

    hub_names: HubNames = {"convolution": "proj", "normalization": "norm"}


class SwiftFormerModel(SwiftFormerPreTrainedModel):
    """A stem, and stages with convolutions between them; the map after each of these is recorded."""

    hub_names: HubNames = {
        "layers": "encoder.network",
        **{f"stem.{i}.convolution": f"patch_embed.patch_embedding.{3 * i}" for i in (0, 1)},
        **{f"stem.{i}.normalization": f"patch_embed.patch_embedding.{3 * i + 1}" for i in (0, 1)},
    }

    def __init__(self, config: SwiftFormerConfig) -> None:
        super().__init__(config)
        first = config.embed_dims[0]
        conv = partial(ConvNorm, stride=2, bias=True, eps=config.batch_norm_eps)
        self.stem = nn.Sequential(conv(config.num_channels, first // 2), conv(first // 2, first))
        self.layers = nn.ModuleList(self._layers(config))
        self.post_init()

    @staticmethod
    def _layers(config: SwiftFormerConfig) -> Iterator[nn.Module]:
        widths = config.embed_dims
        rates = iter(drop_rates(config.drop_path_rate, sum(config.depths)))
        for index in range(len(config.depths)):
            yield SwiftFormerStage(config, index, rates)
            if index + 1 < len(widths) and (config.downsamples[index] or widths[index] != widths[index + 1]):
                yield Shrink(
                    widths[index],
                    widths[index + 1],
                    config.down_patch_size,
                    stride=config.down_stride,
                    padding=config.down_pad,
                    bias=True,
                    act=None,
                    eps=config.batch_norm_eps,
                )

    def forward(self, pixel_values: Tensor | None = None) -> BaseModelOutputWithNoAttention:
        """(batch, channels, height, width) to the last map (batch, width, h, w)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        x = run_layers(self.layers, self.stem(pixel_values))
        return BaseModelOutputWithNoAttention(last_hidden_state=x)


class SwiftFormerForImageClassification(ForImageClassification, SwiftFormerPreTrainedModel):
    """SwiftFormer with the mean of two classifiers on the normalised mean over all pixels."""

    base_class = SwiftFormerModel
    output_class = ImageClassifierOutputWithNoAttention
    head_names = {"classifier": "head", "distillation_classifier": "dist_head"}

    def build_head(self, config: PretrainedConfig) -> None:
        self.norm = nn.BatchNorm2d(config.embed_dims[-1], eps=config.batch_norm_eps)
        super().build_head(config)
        self.distillation_classifier = self.make_classifier(config)

    def features_width(self, config: PretrainedConfig) -> int:
        return config.embed_dims[-1]

    def forward(  # type: ignore[override]
        self, pixel_values: Tensor | None = None, *, labels: Tensor | None = None
    ) -> ImageClassifierOutputWithNoAttention:
        """Logits (batch, labels)."""
        outputs = self.model(pixel_values)
        pooled = self.norm(outputs.last_hidden_state).mean((2, 3))
        logits = (self.classifier(pooled) + self.distillation_classifier(pooled)) / 2
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return ImageClassifierOutputWithNoAttention.carry(outputs, loss=loss, logits=logits)
