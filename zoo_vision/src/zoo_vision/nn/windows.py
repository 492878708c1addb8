"""Cutting maps into square windows and joining them again (https://arxiv.org/abs/2103.14030)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def partition(x: Tensor, window: int) -> Tensor:
    """(batch, rows, columns, width) to (batch x windows, window x window, width), padded with zeros."""
    batch, rows, columns, width = x.shape
    x = F.pad(x, (0, 0, 0, -columns % window, 0, -rows % window))
    x = x.view(batch, x.shape[1] // window, window, x.shape[2] // window, window, width)
    return x.transpose(2, 3).reshape(-1, window * window, width)


def merge(windows: Tensor, window: int, rows: int, columns: int) -> Tensor:
    """The inverse of `partition`: (batch, rows, columns, width), without the padding."""
    down, across = -(-rows // window), -(-columns // window)
    x = windows.view(-1, down, across, window, window, windows.shape[-1])
    x = x.transpose(2, 3).reshape(-1, down * window, across * window, windows.shape[-1])
    return x[:, :rows, :columns]


def shifted_mask(rows: int, columns: int, window: int, shift: int, device: torch.device) -> Tensor:
    """(windows, cells, cells) bool: which cells may see each other after a map is rolled by `shift`.

    Cells that the roll has brought together from opposite sides may not.
    """

    def parts(size: int) -> Tensor:
        padded = size + -size % window
        place = torch.arange(padded, device=device)
        return (place >= padded - window).long() + (place >= padded - shift).long()

    label = parts(rows)[:, None] * 3 + parts(columns)[None]
    cells = partition(label[None, :, :, None], window)[..., 0]
    return cells[:, :, None] == cells[:, None, :]
