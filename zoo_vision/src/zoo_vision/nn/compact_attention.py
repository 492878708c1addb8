"""Attention with narrow keys, wide values and a bias for each distance (https://arxiv.org/abs/2104.01136)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.nn.activation import Activation, activation
from zoo_core.nn.attention import AttentionCore
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.rotary import RotaryTables
from zoo_vision.nn.window_bias import Grid

LinearFactory = Callable[[int, int], nn.Module]
"""Makes a linear map of tokens, given both widths."""


class DistanceBias(nn.Module):
    """A bias for each head and each distance, in rows and in columns, between a query and a key.

    Args:
        grid: rows and columns of the keys. stride: every how many of them there is a query.
    """

    index: Tensor

    def __init__(self, grid: Grid, heads: int, *, stride: int = 1) -> None:
        super().__init__()
        rows, columns = grid
        self.attention_biases = nn.Parameter(torch.zeros(heads, rows * columns))
        keys = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).view(-1, 2)
        queries = keys.view(rows, columns, 2)[::stride, ::stride].flatten(0, 1)
        down, across = (queries[:, None] - keys[None]).abs().unbind(-1)
        self.register_buffer("index", down * columns + across, persistent=False)

    def forward(self) -> Tensor:
        """(1, heads, queries, keys)."""
        return self.attention_biases[None, :, self.index]


class CompactAttention(AttentionCore):
    """Attention among all cells of a map, by content and by distance.

    Args:
        widths: of the input and of the output. key_dim, value_dim: of a head.
        grid: rows and columns of the map. stride: every how many cells there is a query.
        linear: makes the projections. act: applied to what is attended to, before the last projection.
    """

    def __init__(
        self,
        widths: tuple[int, int],
        heads: int,
        *,
        key_dim: int,
        value_dim: int,
        grid: Grid,
        stride: int = 1,
        linear: LinearFactory = nn.Linear,
        act: str | Activation = "linear",
    ) -> None:
        super().__init__()
        self.num_heads, self.grid = heads, grid
        self.scale, self.act = key_dim**-0.5, activation(act)
        self.dims = [key_dim, key_dim, value_dim]
        self.make_projections(widths[0], linear)
        self.o_proj = linear(heads * value_dim, widths[1])
        self.distance_bias = DistanceBias(grid, heads, stride=stride)

    def make_projections(self, size: int, linear: LinearFactory) -> None:
        """Create what `heads` uses."""
        self.qkv = linear(size, self.num_heads * sum(self.dims))

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = self.split(self.qkv(hidden)).split(self.dims, dim=-1)
        return query, key, value

    def split(self, x: Tensor) -> Tensor:
        """(batch, cells, heads x width) to (batch, heads, cells, width)."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        return self.distance_bias()

    def merge(self, attended: Tensor) -> Tensor:
        return self.o_proj(self.act(attended.transpose(1, 2).flatten(2)))

    def forward(self, hidden: Tensor, context: AttentionContext | None = None, **options: Any) -> Tensor:
        """(batch, cells, width) to the same shape."""
        cells = self.grid[0] * self.grid[1]
        if hidden.shape[1] != cells:
            raise ValueError(
                f"the map has {hidden.shape[1]} cells, but the biases are for {self.grid[0]} x "
                f"{self.grid[1]}; resize the images to the trained size (the image processor does)"
            )
        return super().forward(hidden, context or AttentionContext(hidden), **options)
