"""RT-DETR's hybrid encoder: attention within the coarsest map, convolutions between maps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER, BART_PRE_NORM_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.layer import PostNormLayer, PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.detr.model import PlacedAttention
from zoo_vision.nn.conv import ConvNorm


class ScaleConv(ConvNorm):
    """Convolution, batch norm, and the encoder's activation, another one, or with `act=False` none."""

    hub_names: HubNames = {"convolution": "conv", "normalization": "norm"}

    def __init__(
        self,
        config: PretrainedConfig,
        channels: int,
        width: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        act: bool | str = True,
    ) -> None:
        kind, eps = config.activation_function if act is True else act or None, config.batch_norm_eps
        super().__init__(channels, width, kernel, stride=stride, groups=groups, act=kind, eps=eps)


class RepVGGBlock(nn.Module):
    """A 3x3 and a 1x1 convolution side by side (https://arxiv.org/abs/2101.03697)."""

    def __init__(self, config: PretrainedConfig, width: int) -> None:
        super().__init__()
        self.conv1 = ScaleConv(config, width, width, 3, act=False)
        self.conv2 = ScaleConv(config, width, width, 1, act=False)
        self.act = activation(config.activation_function)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv1(x) + self.conv2(x))


class CSPBlock(nn.Module):
    """Two 1x1 convolutions, one with blocks after it, added (https://arxiv.org/abs/1911.11929)."""

    def __init__(
        self, config: PretrainedConfig, channels: int, width: int, out: int, *, depth: int = 3
    ) -> None:
        super().__init__()
        self.conv1 = ScaleConv(config, channels, width, 1)
        self.conv2 = ScaleConv(config, channels, width, 1)
        self.bottlenecks = nn.Sequential(*(RepVGGBlock(config, width) for _ in range(depth)))
        self.conv3 = nn.Identity() if width == out else ScaleConv(config, width, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv3(self.bottlenecks(self.conv1(x)) + self.conv2(x))


def _options(config: PretrainedConfig) -> dict[str, nn.Module]:
    size, dropout = config.encoder_hidden_dim, config.dropout
    act, inside = config.encoder_activation_function, config.activation_dropout
    attention = PlacedAttention(size, config.encoder_attention_heads, dropout=dropout)
    mlp = MLP(size, config.encoder_ffn_dim, act, activation_dropout=inside)
    return {"self_attn": attention, "mlp": mlp}


class PostNormScaleLayer(PostNormLayer):
    """A transformer layer over one map."""

    hub_names = BART_LAYER


class PreNormScaleLayer(PreNormLayer):
    """A transformer layer over one map, its norms before the blocks (`normalize_before`)."""

    hub_names = BART_PRE_NORM_LAYER


def scale_layer(config: PretrainedConfig) -> nn.Module:
    """A layer with its norms where the config wants them."""
    kind = PreNormScaleLayer if config.normalize_before else PostNormScaleLayer
    norm = partial(nn.LayerNorm, eps=config.layer_norm_eps)
    return kind(config.encoder_hidden_dim, norm, dropout=config.dropout, **_options(config))


def sine_places(rows: int, columns: int, size: int, temperature: float) -> Tensor:
    """(1, rows x columns, size): sines and cosines of x, then of y; as released, y runs fastest."""
    waves = temperature ** -(torch.arange(size // 4, dtype=torch.float32) / (size // 4))
    x = torch.arange(columns).repeat_interleave(rows)[:, None] * waves
    y = torch.arange(rows).repeat(columns)[:, None] * waves
    return torch.cat((x.sin(), x.cos(), y.sin(), y.cos()), dim=1)[None]


class HybridEncoder(PreTrainedModel):
    """Attention within some maps, then from coarse to fine and from fine to coarse between all."""

    hub_names: HubNames = {"stacks": "encoder", "stacks.*": "encoder.*.layers"}

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        steps = range(len(config.encoder_in_channels) - 1)
        self.stacks = nn.ModuleList(
            nn.ModuleList(scale_layer(config) for _ in range(config.encoder_layers))
            for _ in config.encode_proj_layers
        )
        self.lateral_convs = nn.ModuleList(self.make_lateral(config) for _ in steps)
        self.fpn_blocks = nn.ModuleList(self.make_block(config) for _ in steps)
        self.downsample_convs = nn.ModuleList(self.make_downsample(config) for _ in steps)
        self.pan_blocks = nn.ModuleList(self.make_block(config) for _ in steps)

    def make_block(self, config: PretrainedConfig) -> nn.Module:
        """What joins two maps of one size."""
        size = config.encoder_hidden_dim
        return CSPBlock(config, 2 * size, int(size * config.hidden_expansion), size)

    def make_lateral(self, config: PretrainedConfig) -> nn.Module:
        """What a map passes before it is enlarged."""
        return ScaleConv(config, config.encoder_hidden_dim, config.encoder_hidden_dim, 1)

    def make_downsample(self, config: PretrainedConfig) -> nn.Module:
        """What halves a map."""
        return ScaleConv(config, config.encoder_hidden_dim, config.encoder_hidden_dim, 3, stride=2)

    def forward(self, maps: Sequence[Tensor]) -> BaseModelOutput:
        """Maps (batch, encoder_hidden_dim, h, w), the finest first, to as many of the same sizes."""
        fused = list(maps)
        for stack, i in zip(self.stacks, self.config.encode_proj_layers, strict=True):
            record(HIDDEN_STATES, fused[i])
            fused[i] = self._attend(stack, fused[i])
        if self.stacks:
            record(HIDDEN_STATES, fused[self.config.encode_proj_layers[-1]])
        joins = zip(self.lateral_convs, self.fpn_blocks, strict=True)
        for (lateral, block), i in zip(joins, range(len(fused) - 1, 0, -1), strict=True):
            fused[i] = lateral(fused[i])
            larger = F.interpolate(fused[i], scale_factor=2.0, mode="nearest")
            fused[i - 1] = block(torch.cat((larger, fused[i - 1]), dim=1))
        for i, (halve, block) in enumerate(zip(self.downsample_convs, self.pan_blocks, strict=True)):
            fused[i + 1] = block(torch.cat((halve(fused[i]), fused[i + 1]), dim=1))
        return BaseModelOutput(last_hidden_state=fused)  # type: ignore[arg-type]

    def _attend(self, stack: nn.ModuleList, x: Tensor) -> Tensor:
        hidden = x.flatten(2).transpose(1, 2)
        temperature = self.config.positional_encoding_temperature
        places = sine_places(x.shape[2], x.shape[3], x.shape[1], temperature).to(hidden)
        context = AttentionContext(hidden)
        for layer in stack:
            hidden = layer(hidden, context, places=places)
        return hidden.transpose(1, 2).unflatten(2, x.shape[2:]).contiguous()
