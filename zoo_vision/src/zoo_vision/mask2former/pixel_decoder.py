"""Mask2Former's pixel decoder: deformable attention over the three coarsest maps, convolutions above."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_vision.detr.model import sine_places
from zoo_vision.maskformer.model import ConvGroupNorm
from zoo_vision.nn.deformable import DeformableEncoderLayer, FeatureLevels
from zoo_vision.nn.upernet import stretch


def map_places(x: Tensor) -> Tensor:
    """(1, cells, channels): sines of the places in a map (batch, channels, h, w)."""
    return sine_places(torch.ones_like(x[:1, 0]), x.shape[1] // 2).to(x.dtype)


class DeformablePixelDecoder(nn.Module):
    """From a backbone's maps to a fine one, and three coarse ones for the queries.

    Args:
        channels: of the maps, the finest first.
    """

    levels = 3
    points = 4

    def __init__(self, channels: Sequence[int], config: PretrainedConfig) -> None:
        super().__init__()
        size = config.feature_size
        self.input_projections = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, size, 1), nn.GroupNorm(32, size))
            for width in reversed(channels[-self.levels :])
        )
        self.level_embed = nn.Parameter(torch.zeros(self.levels, size))
        self.layers = nn.ModuleList(
            DeformableEncoderLayer(
                size,
                config.num_attention_heads,
                config.encoder_feedforward_dim,
                levels=self.levels,
                points=self.points,
                act="relu",
                dropout=config.dropout,
                activation_dropout=config.dropout,
            )
            for _ in range(config.encoder_layers)
        )
        steps = int(math.log2(config.feature_strides[-self.levels]) - math.log2(config.common_stride))
        self.adapters = nn.ModuleList(ConvGroupNorm(width, size, 1, act=False) for width in channels[:steps])
        self.blocks = nn.ModuleList(ConvGroupNorm(size, size) for _ in range(steps))
        self.mask_projection = nn.Conv2d(size, config.mask_feature_size, 1)

    @property
    def hub_names(self) -> HubNames:
        """Files count the finer maps from one."""
        names = {"layers": "encoder.layers"}
        for i in range(len(self.blocks)):
            names |= {f"adapters.{i}": f"adapter_{i + 1}", f"blocks.{i}": f"layer_{i + 1}"}
        return names

    def forward(self, maps: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """The finest map (batch, mask_feature_size, h, w), and the coarse ones, the coarsest first."""
        coarse = maps[-self.levels :]
        projected = [project(x) for project, x in zip(self.input_projections, reversed(coarse), strict=True)]
        places = torch.cat(
            [map_places(x) + level for x, level in zip(projected, self.level_embed, strict=True)], dim=1
        )
        joined = FeatureLevels.of(projected)
        references = joined.centres()[:, :, None]
        for layer in self.layers:
            joined = joined.with_states(layer(joined, places=places, references=references))
        found = joined.split()
        x = found[-1]
        for adapt, block, finer in reversed(list(zip(self.adapters, self.blocks, maps, strict=False))):
            finer = adapt(finer)
            x = block(finer + stretch(x, finer))
        return self.mask_projection(x), found
