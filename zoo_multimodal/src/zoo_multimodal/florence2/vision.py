"""DaViT: attention in windows of the image, and between its channels (https://arxiv.org/abs/2204.03645)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import DropPath
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import unrecorded
from zoo_multimodal.florence2.config import Florence2VisionConfig


class PatchMerging(nn.Module):
    """A convolution, and a norm before or behind it."""

    def __init__(self, config: Florence2VisionConfig, stage: int) -> None:
        super().__init__()
        width = config.embed_dim[stage - 1] if stage else config.in_channels
        out = config.embed_dim[stage]
        self.first = config.patch_prenorm[stage]
        self.conv = nn.Conv2d(
            width,
            out,
            config.patch_size[stage],
            config.patch_stride[stage],
            config.patch_padding[stage],
        )
        self.norm = nn.LayerNorm(width if self.first else out)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) to the next stage's."""
        if self.first:
            return self.conv(over_channels(self.norm, x))
        return over_channels(self.norm, self.conv(x))


def over_channels(module: nn.Module, x: Tensor) -> Tensor:
    """A module that maps the last dimension, applied to the channels of (batch, channels, height, width)."""
    return module(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class WindowAttention(Attention):
    """Self-attention in windows of (batch, height, width, channels), padded with zeros that are seen."""

    hub_names = {("q_proj", "k_proj", "v_proj"): Fused("qkv"), "o_proj": "proj"}

    def __init__(self, size: int, heads: int, window: int, *, bias: bool) -> None:
        super().__init__(size, heads, bias=bias, out_bias=True)
        self.window = window

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        _, height, width, size = x.shape
        side = self.window
        x = F.pad(x, (0, 0, 0, -width % side, 0, -height % side))
        rows, columns = x.shape[1] // side, x.shape[2] // side
        windows = x.unflatten(2, (columns, side)).unflatten(1, (rows, side)).transpose(2, 3)
        tokens = windows.reshape(-1, side * side, size)
        with unrecorded():
            tokens = super().forward(tokens, AttentionContext(tokens))
        merged = tokens.view(-1, rows, columns, side, side, size).transpose(2, 3)
        return merged.reshape(-1, rows * side, columns * side, size)[:, :height, :width]


class ChannelAttention(nn.Module):
    """Attention between the channels of each group, over all places."""

    def __init__(self, size: int, groups: int, *, bias: bool) -> None:
        super().__init__()
        self.groups = groups
        self.qkv, self.proj = nn.Linear(size, 3 * size, bias=bias), nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, height, width, channels) to the same."""
        tokens = x.flatten(1, 2)
        parts = self.qkv(tokens).unflatten(-1, (3, self.groups, -1)).permute(2, 0, 3, 4, 1)
        query, key, value = parts.unbind(0)  # (batch, groups, channels, places)
        attended = F.scaled_dot_product_attention(query, key, value)  # scaled by the number of places
        return self.proj(attended.flatten(1, 2).transpose(1, 2)).view_as(x)


class Half(nn.Module):
    """Attention and a feed-forward block, each behind a convolution that says where pixels are."""

    hub_names = {"mlp": "ffn"}

    def __init__(self, config: Florence2VisionConfig, size: int, drop: float, **attention: nn.Module) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(size, size, 3, padding=1, groups=size)
        self.conv2 = nn.Conv2d(size, size, 3, padding=1, groups=size)
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        ((self.kind, module),) = attention.items()
        setattr(self, self.kind, module)
        self.mlp = MLP(size, int(size * config.mlp_ratio), config.activation_function)
        self.drop_path = DropPath(drop)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.conv1(x)
        attention = getattr(self, self.kind)
        x = x + self.drop_path(over_channels(lambda y: attention(self.norm1(y)), x))  # type: ignore[arg-type]
        x = x + self.conv2(x)
        return x + self.drop_path(over_channels(lambda y: self.mlp(self.norm2(y)), x))  # type: ignore[arg-type]


class Florence2VisionBackbone(PreTrainedModel):
    """Stages of blocks, each block attending in windows and then between channels."""

    config_class = Florence2VisionConfig
    main_input_name = "pixel_values"

    def __init__(self, config: Florence2VisionConfig) -> None:
        super().__init__(config)
        drops = iter(torch.linspace(0, config.drop_path_rate, 2 * sum(config.depths), device="cpu").tolist())
        self.convs, self.blocks = nn.ModuleList(), nn.ModuleList()
        for stage, depth in enumerate(config.depths):
            size, bias = config.embed_dim[stage], config.qkv_bias
            blocks = []
            for _ in range(depth):
                windows = WindowAttention(size, config.num_heads[stage], config.window_size, bias=bias)
                channels = ChannelAttention(size, config.num_groups[stage], bias=bias)
                block = nn.ModuleDict(
                    {
                        "spatial_block": Half(config, size, next(drops), window_attn=windows),
                        "channel_block": Half(config, size, next(drops), channel_attn=channels),
                    }
                )
                blocks.append(block)
            self.convs.append(PatchMerging(config, stage))
            self.blocks.append(nn.ModuleList(blocks))
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        """(batch, channels, height, width) to states (batch, embed_dim[-1], height / n, width / n)."""
        if pixel_values.dim() != 4 or pixel_values.shape[1] != self.config.in_channels:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}; they must be (batch, "
                f"{self.config.in_channels}, height, width)"
            )
        hidden = pixel_values
        for merge, blocks in zip(self.convs, self.blocks, strict=True):
            hidden = merge(hidden)
            for block in blocks:
                hidden = block["channel_block"](block["spatial_block"](hidden))
        return BaseModelOutput(last_hidden_state=hidden)
