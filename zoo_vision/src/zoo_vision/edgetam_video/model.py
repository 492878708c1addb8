"""EdgeTAM for videos: the memory of a frame is condensed to few vectors before it is attended to."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.nn.attention import Attention
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.rotary import RotaryTables
from zoo_vision.detr.model import sine_places
from zoo_vision.edgetam_video.config import EdgeTamVideoConfig
from zoo_vision.nn.windows import partition
from zoo_vision.sam2_video.memory import MemoryAttention, MemoryAttentionLayer, Placing
from zoo_vision.sam2_video.model import Sam2VideoModel


class EdgeTamMemoryAttentionLayer(MemoryAttentionLayer):
    """As Segment Anything 2's, under other names."""

    hub_names: HubNames = {
        "cross_attn": "cross_attn_image",
        "mlp.fc1": "mlp.up_proj",
        "mlp.fc2": "mlp.down_proj",
    }


class EdgeTamMemoryAttention(MemoryAttention):
    """The memory of a frame has vectors of no place, then those of a square."""

    layer_class = EdgeTamMemoryAttentionLayer

    def __init__(self, config: EdgeTamVideoConfig) -> None:
        super().__init__(config)
        rows, columns = config.memory_attention_rope_k_sizes
        self.square, self.leading = (rows, columns), config.perceiver_resampler_num_latents

    def placing(self, rotary: RotaryTables, unplaced: int) -> Placing:
        return Placing(self.rotary(self.square, rotary.cos), self.leading, unplaced)


class PerceiverAttention(Attention):
    """Latents attend to what they condense; places are added to its keys and values."""

    def __init__(self, config: EdgeTamVideoConfig) -> None:
        super().__init__(
            config.perceiver_resampler_hidden_size,
            config.perceiver_resampler_num_attention_heads,
            head_dim=config.perceiver_resampler_attention_head_dim,
            bias=False,
            dropout=config.perceiver_resampler_attention_dropout,
        )

    def of(self, latents: Tensor, x: Tensor, places: Tensor | None = None) -> Tensor:
        """Latents (batch, latents, hidden) of x (batch, cells, hidden)."""
        key, value = self.split(self.k_proj(x)), self.split(self.v_proj(x))
        if places is not None:
            key, value = key + self.split(places), value + self.split(places)
        mask = AttentionContext(latents).mask(self.rule, x.shape[1])
        return self.merge(self.attend(self.split(self.q_proj(latents)), key, value, mask))

    def merge(self, attended: Tensor) -> Tensor:
        # as released: where there are several heads, they are laid one behind the other, not side by side
        return self.o_proj(attended.reshape(len(attended), -1, self.num_heads * self.head_dim))


class NormedMLP(MLP):
    """A feed-forward block after a norm."""

    hub_names: HubNames = {"fc1": "up_proj", "fc2": "down_proj"}

    def __init__(self, config: EdgeTamVideoConfig) -> None:
        size = config.perceiver_resampler_hidden_size
        super().__init__(size, config.perceiver_resampler_mlp_intermediate_size, "gelu", bias=False)
        self.layer_norm = nn.LayerNorm(size)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.layer_norm(x))


class PerceiverLayer(nn.Module):
    """Latents attend to the memory, then to each other, each with a feed-forward block."""

    def __init__(self, config: EdgeTamVideoConfig) -> None:
        super().__init__()
        size = config.perceiver_resampler_hidden_size
        self.cross_attention, self.self_attention = PerceiverAttention(config), PerceiverAttention(config)
        self.mlp, self.self_mlp = NormedMLP(config), NormedMLP(config)
        self.layer_norm_input, self.layer_norm_latents = nn.LayerNorm(size), nn.LayerNorm(size)
        self.layer_norm_self = nn.LayerNorm(size)
        self.dropout = Dropout(config.perceiver_resampler_hidden_dropout)

    def forward(self, latents: Tensor, x: Tensor, places: Tensor | None) -> Tensor:
        seen = self.cross_attention.of(self.layer_norm_latents(latents), self.layer_norm_input(x), places)
        latents = latents + self.dropout(seen)
        latents = latents + self.mlp(latents)
        y = self.layer_norm_self(latents)
        latents = latents + self.self_attention.of(y, y)
        return latents + self.self_mlp(latents)


class SpatialPerceiver(nn.Module):
    """A map becomes vectors that see all of it, and vectors that each see one window."""

    def __init__(self, config: EdgeTamVideoConfig) -> None:
        super().__init__()
        size = config.perceiver_resampler_hidden_size
        self.latents_1d = nn.Parameter(torch.randn(config.perceiver_resampler_num_latents, size))
        self.latents_2d = nn.Parameter(torch.randn(config.perceiver_resampler_num_latents_2d, size))
        self.layers = nn.ModuleList(
            PerceiverLayer(config) for _ in range(config.perceiver_resampler_num_layers)
        )
        self.layer_norm = nn.LayerNorm(size)

    def forward(self, x: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """A map (1, hidden, rows, columns) and places (1, cells, hidden) to latents (1, latents, hidden) and
        their places, of which those that see everything have none."""
        batch = len(x)
        found = self.condense(self.latents_1d.expand(batch, -1, -1), x.flatten(2).transpose(1, 2), places)
        if not len(self.latents_2d):
            return found, torch.zeros_like(found)
        side = math.isqrt(len(self.latents_2d))
        windows = partition(x.permute(0, 2, 3, 1), x.shape[2] // side)
        each = self.latents_2d.expand(batch, -1, -1).reshape(-1, 1, self.latents_2d.shape[1])
        own = self.condense(each, windows, None).view(batch, side * side, -1)
        square = sine_places(x.new_ones(batch, side, side), own.shape[2] // 2).to(x.dtype)
        return torch.cat((found, own), dim=1), torch.cat((torch.zeros_like(found), square), dim=1)

    def condense(self, latents: Tensor, x: Tensor, places: Tensor | None) -> Tensor:
        """Latents (batch, latents, hidden) after all layers."""
        for layer in self.layers:
            latents = layer(latents, x, places)
        return self.layer_norm(latents)


class EdgeTamVideoModel(Sam2VideoModel):
    """Segment Anything 2 on RepViT, with condensed memory."""

    config_class = EdgeTamVideoConfig
    base_model_prefix = "edgetam_video"
    memory_attention_class = EdgeTamMemoryAttention
    stored_dtype = None

    def __init__(self, config: EdgeTamVideoConfig) -> None:
        super().__init__(config)
        self.spatial_perceiver = SpatialPerceiver(config)
        self.post_init()

    def kept(self, features: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        found: tuple[Tensor, Tensor] = self.spatial_perceiver(features, places)
        return found
