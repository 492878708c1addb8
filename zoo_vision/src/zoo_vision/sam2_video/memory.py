"""Memory of a video's earlier frames: how it is made, and how a frame attends to it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import LayerScale
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.rotary import RotaryTables
from zoo_vision.convnext.model import ConvNextLayer
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.sam2_video.config import Sam2VideoConfig

Grid = tuple[int, int]


def axial_rotary(grid: Grid, dim: int, theta: float, like: Tensor) -> RotaryTables:
    """Tables for the cells of a map, row by row: half of the features turn with the column, half with the
    row."""
    speeds = theta ** (-torch.arange(0, dim, 4, device=like.device).float() / dim)
    rows, columns = (torch.arange(n, device=like.device).float()[:, None] * speeds for n in grid)
    across = columns.expand(grid[0], -1, -1)
    down = rows[:, None].expand(-1, grid[1], -1)
    angles = torch.cat((across, down), dim=-1).flatten(0, 1).repeat_interleave(2, -1)[None, None]
    return RotaryTables(angles.cos().to(like.dtype), angles.sin().to(like.dtype), interleaved=True)


class Placing(NamedTuple):
    """Where keys stand: frames of `leading` tokens without a place and of cells that `rotary` turns, and
    `unplaced` tokens at the end."""

    rotary: RotaryTables
    leading: int = 0
    unplaced: int = 0


class RotaryMapAttention(Attention):
    """Attention of the cells of a map to each other, or to those of earlier frames.

    Args:
        source: width of what is attended to.
    """

    def __init__(self, config: Sam2VideoConfig, source: int) -> None:
        heads = config.memory_attention_num_attention_heads
        size = config.memory_attention_hidden_size
        super().__init__(
            size,
            heads,
            head_dim=size // config.memory_attention_downsample_rate // heads,
            kv_size=source,
            dropout=config.memory_attention_rope_dropout,
        )

    def between(
        self, query: Tensor, key: Tensor, value: Tensor, rotary: RotaryTables, placing: Placing
    ) -> Tensor:
        """(batch, cells, hidden) of keys and values (batch, tokens, source)."""
        q, k = rotary(self.split(self.q_proj(query))), self.split(self.k_proj(key))
        rotated, lead = placing.rotary, placing.leading
        frames, rest = k.split((k.shape[2] - placing.unplaced, placing.unplaced), dim=2)
        frames = frames.unflatten(2, (-1, lead + rotated.cos.shape[2]))
        frames = torch.cat((frames[:, :, :, :lead], rotated(frames[:, :, :, lead:])), dim=3)
        k = torch.cat((frames.flatten(2, 3), rest), dim=2)
        mask = AttentionContext(query).mask(self.rule, key.shape[1])
        return self.merge(self.attend(q, k, self.split(self.v_proj(value)), mask))


class MemoryAttentionLayer(nn.Module):
    """The map attends to itself, then to the memory; a feed-forward block."""

    hub_names: HubNames = {"cross_attn": "cross_attn_image", "mlp.fc1": "linear1", "mlp.fc2": "linear2"}

    def __init__(self, config: Sam2VideoConfig) -> None:
        super().__init__()
        size, dropout = config.memory_attention_hidden_size, config.memory_attention_dropout
        self.self_attn = RotaryMapAttention(config, size)
        self.cross_attn = RotaryMapAttention(config, config.memory_encoder_output_channels)
        self.mlp = MLP(
            size,
            config.memory_attention_feed_forward_hidden_size,
            config.memory_attention_feed_forward_hidden_act,
            activation_dropout=dropout,
        )
        self.layer_norm1, self.layer_norm2, self.layer_norm3 = (nn.LayerNorm(size) for _ in range(3))
        self.dropout = Dropout(dropout)

    def forward(
        self, x: Tensor, memory: Tensor, places: Tensor, rotary: RotaryTables, placing: Placing
    ) -> Tensor:
        y = self.layer_norm1(x)
        x = x + self.dropout(self.self_attn.between(y, y, y, rotary, Placing(rotary)))
        y = self.layer_norm2(x)
        x = x + self.dropout(self.cross_attn.between(y, memory + places, memory, rotary, placing))
        return x + self.dropout(self.mlp(self.layer_norm3(x)))


class MemoryAttention(nn.Module):
    """A frame's map, conditioned on the memory."""

    layer_class: type[MemoryAttentionLayer] = MemoryAttentionLayer

    def __init__(self, config: Sam2VideoConfig) -> None:
        super().__init__()
        size, heads = config.memory_attention_hidden_size, config.memory_attention_num_attention_heads
        self.rotated = size // config.memory_attention_downsample_rate // heads
        self.theta = config.memory_attention_rope_theta
        self.layers = nn.ModuleList(
            self.layer_class(config) for _ in range(config.memory_attention_num_layers)
        )
        self.layer_norm = nn.LayerNorm(size)

    def forward(
        self, x: Tensor, own_places: Tensor, memory: Tensor, places: Tensor, *, unplaced: int
    ) -> Tensor:
        """A map (batch, hidden, rows, columns) to the same shape.

        Args:
            own_places: of the map's cells, in its shape.
            memory: (batch, tokens, width), and its `places`.
            unplaced: tokens at its end that belong to no frame.
        """
        grid = (x.shape[2], x.shape[3])
        rotary = self.rotary(grid, x)
        placing = self.placing(rotary, unplaced)
        x = (x + 0.1 * own_places).flatten(2).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, memory, places, rotary, placing)
        return self.layer_norm(x).transpose(1, 2).unflatten(2, grid)

    def rotary(self, grid: Grid, like: Tensor) -> RotaryTables:
        """Tables for the cells of a map."""
        return axial_rotary(grid, self.rotated, self.theta, like)

    def placing(self, rotary: RotaryTables, unplaced: int) -> Placing:
        """Where the memory's tokens stand; `rotary` is the map's."""
        return Placing(rotary, unplaced=unplaced)


class MaskDownsampler(nn.Module):
    """A mask at the size of the image becomes features at the size of its map."""

    hub_names: HubNames = {"layers.*.0": "layers.*.conv", "layers.*.1": "layers.*.layer_norm"}

    def __init__(self, config: Sam2VideoConfig) -> None:
        super().__init__()
        kernel, stride = config.mask_downsampler_kernel_size, config.mask_downsampler_stride
        self.act = activation(config.mask_downsampler_hidden_act)
        channels, left = 1, config.mask_downsampler_total_stride
        layers = []
        while left > 1:
            width, left = channels * stride**2, left // stride
            conv = nn.Conv2d(channels, width, kernel, stride, config.mask_downsampler_padding)
            layers.append(nn.Sequential(conv, ChannelNorm(width)))
            channels = width
        self.layers = nn.ModuleList(layers)
        self.final_conv = nn.Conv2d(channels, config.mask_downsampler_embed_dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = self.act(layer(x))
        return self.final_conv(x)


class MemoryFuserLayer(ConvNextLayer):
    """ConvNeXt's, of other sizes."""

    hub_names: HubNames = {
        "dwconv": "depthwise_conv",
        "norm": "layer_norm",
        "fc1": "pointwise_conv1",
        "fc2": "pointwise_conv2",
        "layer_scale.weight": "scale",
    }

    def __init__(self, config: Sam2VideoConfig) -> None:
        nn.Module.__init__(self)
        width, inner = config.memory_fuser_embed_dim, config.memory_fuser_intermediate_dim
        kernel, padding = config.memory_fuser_kernel_size, config.memory_fuser_padding
        self.dwconv = nn.Conv2d(width, width, kernel, padding=padding, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)
        self.act = activation(config.memory_fuser_hidden_act)
        self.layer_scale = LayerScale(width, config.memory_fuser_layer_scale_init_value)
        self.drop_path = nn.Identity()  # type: ignore[assignment]


class MemoryEncoder(nn.Module):
    """A frame's map and the mask found in it, as memory."""

    hub_names: HubNames = {"layers": "memory_fuser.layers"}

    def __init__(self, config: Sam2VideoConfig) -> None:
        super().__init__()
        size = config.memory_encoder_hidden_size
        self.mask_downsampler = MaskDownsampler(config)
        self.feature_projection = nn.Conv2d(size, size, 1)
        self.layers = nn.ModuleList(MemoryFuserLayer(config) for _ in range(config.memory_fuser_num_layers))
        self.projection = nn.Conv2d(size, config.memory_encoder_output_channels, 1)

    def forward(self, x: Tensor, masks: Tensor) -> Tensor:
        """A map (batch, hidden, rows, columns), and masks (batch, 1, height, width) of the image's size."""
        x = self.feature_projection(x) + self.mask_downsampler(masks)
        for layer in self.layers:
            x = layer(x)
        return self.projection(x)
