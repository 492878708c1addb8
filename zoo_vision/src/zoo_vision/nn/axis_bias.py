"""Attention in maps with biases from distances on each axis (https://arxiv.org/abs/2112.01526)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_vision.nn.window_bias import Grid


def axis_positions(table: Tensor, queries: int, keys: int) -> Tensor:
    """(queries, keys, width): the rows of a table (2 x size - 1, width) for the distances on one axis."""
    needed = 2 * max(queries, keys) - 1
    if len(table) != needed:
        table = F.interpolate(table.t()[None], size=needed, mode="linear")[0].t()
    query = torch.arange(queries, device=table.device)[:, None] * max(keys / queries, 1.0)
    key = torch.arange(keys, device=table.device)[None] * max(queries / keys, 1.0)
    return table[(query - key + (keys - 1) * max(queries / keys, 1.0)).long()]


class AxisBiasAttention(Attention):
    """Attention with biases that each query computes from the distance in rows and in columns.

    Args:
        grid: rows and columns that the tables of distances are made for; None for attention without.
    """

    def __init__(
        self, size: int, heads: int, *, grid: Grid | None, bias: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__(size, heads, bias=bias, out_bias=True, dropout=dropout)
        self.use_rel_pos = grid is not None
        if grid is not None:
            self.rel_pos_h = nn.Parameter(torch.zeros(2 * grid[0] - 1, self.head_dim))
            self.rel_pos_w = nn.Parameter(torch.zeros(2 * grid[1] - 1, self.head_dim))

    def over(self, x: Tensor) -> Tensor:
        """(batch, rows, columns, hidden) to the same shape."""
        grid = (x.shape[1], x.shape[2])
        hidden = x.flatten(1, 2)
        query, key, value = self.heads(hidden, None)
        bias = self._bias(query, grid) if self.use_rel_pos else None
        mask = AttentionContext(hidden).mask(self.rule, hidden.shape[1])
        return self.merge(self.attend(query, key, value, mask, bias=bias)).unflatten(1, grid)

    def _bias(self, query: Tensor, grid: Grid) -> Tensor:
        rows, columns = grid
        cells = query.unflatten(2, grid)  # batch, heads, rows, columns, width
        down = torch.einsum("bnhwc,hkc->bnhwk", cells, axis_positions(self.rel_pos_h, rows, rows))
        across = torch.einsum("bnhwc,wkc->bnhwk", cells, axis_positions(self.rel_pos_w, columns, columns))
        return (down[..., :, None] + across[..., None, :]).flatten(4, 5).flatten(2, 3)
