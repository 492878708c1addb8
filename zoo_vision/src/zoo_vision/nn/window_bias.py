"""Learned biases for the offsets between the cells of a window (https://arxiv.org/abs/2103.14030)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Grid = tuple[int, int]


def offset_index(rows: int, columns: int, device: torch.device | None = None) -> Tensor:
    """(cells, cells) int64: the number of the offset from each cell to each other, of (2r-1)(2c-1)."""
    cells = torch.cartesian_prod(
        torch.arange(rows, device=device), torch.arange(columns, device=device)
    ).view(-1, 2)
    offsets = cells[:, None] - cells[None]
    return (offsets[..., 0] + rows - 1) * (2 * columns - 1) + offsets[..., 1] + columns - 1


class WindowBias(nn.Module):
    """A bias for each offset and each head.

    Args:
        window: rows and columns that the table is made for; others stretch it bilinearly.
        class_token: a token before the cells, with three offsets of its own: to it, from it, to itself.
    """

    def __init__(self, window: Grid, heads: int, *, class_token: bool = False) -> None:
        super().__init__()
        self.window, self.class_token = window, class_token
        rows = (2 * window[0] - 1) * (2 * window[1] - 1) + (3 if class_token else 0)
        self.relative_position_bias_table = nn.Parameter(torch.empty(rows, heads))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.relative_position_bias_table)

    def forward(self, window: Grid | None = None) -> Tensor:
        """(1, heads, tokens, tokens) for a window of the trained size or another."""
        rows, columns = window or self.window
        table = self._stretched(rows, columns)
        index = offset_index(rows, columns, table.device)
        if self.class_token:
            last = len(table)
            index = F.pad(index, (1, 0, 1, 0))
            index[0], index[:, 0], index[0, 0] = last - 3, last - 2, last - 1
        return table[index].permute(2, 0, 1)[None]

    def _stretched(self, rows: int, columns: int) -> Tensor:
        table = self.relative_position_bias_table
        if (rows, columns) == self.window:
            return table
        old_rows, old_columns = (2 * n - 1 for n in self.window)
        offsets, own = table[: old_rows * old_columns], table[old_rows * old_columns :]
        image = offsets.view(1, old_rows, old_columns, -1).permute(0, 3, 1, 2)
        image = F.interpolate(image, size=(2 * rows - 1, 2 * columns - 1), mode="bilinear")
        return torch.cat((image.permute(0, 2, 3, 1).reshape(-1, table.shape[1]), own))
