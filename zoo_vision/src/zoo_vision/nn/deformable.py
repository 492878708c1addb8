"""Multi-scale deformable attention: each query looks at a few points of each map (https://arxiv.org/abs/2010.04159)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, record
from zoo_vision.nn.sampling import sample

Grid = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FeatureLevels:
    """Feature maps of several sizes as one sequence.

    Args:
        states: (batch, cells of all maps, width). grids: rows and columns of each map.
        inside: (batch, cells) bool, False in an image's padding; None without padding.
    """

    states: Tensor
    grids: tuple[Grid, ...]
    inside: Tensor | None = None

    @classmethod
    def of(cls, maps: Sequence[Tensor], inside: Tensor | None = None) -> Self:
        """Join maps (batch, width, rows, columns)."""
        states = torch.cat([x.flatten(2) for x in maps], dim=2).transpose(1, 2)
        return cls(states, tuple((x.shape[-2], x.shape[-1]) for x in maps), inside)

    def split(self) -> list[Tensor]:
        """The maps (batch, width, rows, columns) again."""
        parts = self.states.transpose(1, 2).split([rows * columns for rows, columns in self.grids], dim=2)
        return [part.unflatten(2, grid) for part, grid in zip(parts, self.grids, strict=True)]

    def with_states(self, states: Tensor) -> Self:
        """The same maps with other states."""
        return replace(self, states=states)

    def centres(self) -> Tensor:
        """(1, cells, 2): x and y of each cell as fractions of its map."""
        return torch.cat([cell_centres(grid, self.states.device) for grid in self.grids]).to(self.states)[
            None
        ]

    def sizes(self) -> Tensor:
        """(levels, 2): columns and rows of each map, in the order of x and y."""
        return torch.tensor(self.grids, device=self.states.device).flip(-1).to(self.states.dtype)


def cell_centres(grid: Grid, device: torch.device | None = None) -> Tensor:
    """(rows x columns, 2): x and y of each cell's centre as fractions of the map."""
    y, x = ((torch.arange(n, device=device) + 0.5) / n for n in grid)
    return torch.stack((x.expand(len(y), -1), y[:, None].expand(-1, len(x))), dim=-1).flatten(0, 1)


def sample_maps(values: Sequence[Tensor], places: Sequence[Tensor], mode: str = "bilinear") -> Tensor:
    """(batch, heads, width, queries, points of all maps): what lies at each point, zeros outside.

    Args:
        values: maps (batch, heads, width, rows, columns).
        places: for each map x and y of points (batch, queries, heads, points, 2) as fractions of it.
    """
    taken = []
    for value, place in zip(values, places, strict=True):
        grid = place.transpose(1, 2).flatten(0, 1) * 2 - 1
        found = sample(value.flatten(0, 1), grid, mode=mode)
        taken.append(found.unflatten(0, value.shape[:2]))
    return torch.cat(taken, dim=-1)


class DeformableAttention(nn.Module):
    """Weighted means over points that each query chooses near its reference.

    Args:
        points: per head, in each map. cross: whether the weights count as cross-attention.
    """

    #: whether attention weights are returned as (batch, queries, heads, levels, points), not levels x points
    weights_by_level = True

    def __init__(self, size: int, heads: int, levels: int, points: int, *, cross: bool = True) -> None:
        super().__init__()
        if size % heads:
            raise ValueError(f"{heads} heads do not divide the width {size}")
        self.num_heads, self.levels, self.points = heads, levels, points
        self.kind = CROSS_ATTENTIONS if cross else ATTENTIONS
        self.sampling_offsets = Linear(size, heads * levels * points * 2)
        self.attention_weights = Linear(size, heads * levels * points)
        self.value_proj, self.output_proj = Linear(size, size), Linear(size, size)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Points start in a ring of directions, one for each head, the further the later; weights even."""
        for part in (self.sampling_offsets, self.attention_weights):
            nn.init.zeros_(part.weight)
            nn.init.zeros_(part.bias)
        for part in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)
        self.sampling_offsets.bias.copy_(ring(self.num_heads, self.levels, self.points).flatten())

    def forward(
        self, hidden: Tensor, maps: FeatureLevels, references: Tensor, *, places: Tensor | None = None
    ) -> Tensor:
        """(batch, queries, size) to the same shape.

        Args:
            references: (batch, queries, levels or 1, 2 or 4): points, or boxes as centre and size, as
                fractions of each map.
            places: positions added to the queries.
        """
        asked = hidden if places is None else hidden + places
        offsets = self.sampling_offsets(asked).unflatten(-1, (self.num_heads, self.levels, self.points, 2))
        weights = self.attention_weights(asked).unflatten(-1, (self.num_heads, -1)).softmax(-1)
        shown = weights.unflatten(-1, (self.levels, self.points)) if self.weights_by_level else weights
        record(self.kind, shown)
        at = self.locate(references[:, :, None, :, None], offsets, maps)
        value = self.value_proj(maps.states)
        if maps.inside is not None:
            value = value.masked_fill(~maps.inside[..., None], 0.0)
        values = FeatureLevels(value, maps.grids).split()
        found = self.sample([v.unflatten(1, (self.num_heads, -1)) for v in values], at.unbind(3))
        mixed = (found * weights.transpose(1, 2)[:, :, None]).sum(-1)
        return self.output_proj(mixed.flatten(1, 2).transpose(1, 2))

    def locate(self, references: Tensor, offsets: Tensor, maps: FeatureLevels) -> Tensor:
        """Points (batch, queries, heads, levels, points, 2): cells from a point, or parts of a box."""
        if references.shape[-1] == 2:
            return references + offsets / maps.sizes()[:, None]
        return references[..., :2] + offsets / self.points * references[..., 2:] * 0.5

    def sample(self, values: Sequence[Tensor], places: Sequence[Tensor]) -> Tensor:
        """What lies at each place, see `sample_maps`."""
        return sample_maps(values, places)


def ring(heads: int, levels: int, points: int) -> Tensor:
    """(heads, levels, points, 2): offsets of 1, 2, ... steps in a direction for each head."""
    angles = torch.arange(heads, dtype=torch.float32) * (2 * math.pi / heads)
    directions = torch.stack((angles.cos(), angles.sin()), dim=-1)
    directions = directions / directions.abs().amax(-1, keepdim=True)
    steps = torch.arange(1, points + 1)
    return (directions[:, None, None] * steps[:, None]).expand(-1, levels, -1, -1)


class DeformableEncoderLayer(PostNormLayer):
    """Each cell looks at points near itself in all maps; then a feed-forward block."""

    hub_names = BART_LAYER

    def __init__(
        self,
        size: int,
        heads: int,
        inner: int,
        *,
        levels: int,
        points: int,
        act: str,
        dropout: float = 0.0,
        activation_dropout: float = 0.0,
        eps: float = 1e-5,
    ) -> None:
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=eps),
            self_attn=DeformableAttention(size, heads, levels, points, cross=False),
            mlp=MLP(size, inner, act, activation_dropout=activation_dropout),
            dropout=dropout,
        )

    def forward(self, maps: FeatureLevels, *, places: Tensor, references: Tensor) -> Tensor:  # type: ignore[override]
        """New states (batch, cells, size); arguments as of DeformableAttention."""
        seen = self.self_attn(maps.states, maps, references, places=places)
        hidden = self.self_attn_layer_norm(maps.states + self.dropout(seen))
        return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden)))
