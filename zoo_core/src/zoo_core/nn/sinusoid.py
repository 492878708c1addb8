"""Sines and cosines of positions (https://arxiv.org/abs/1706.03762, section 3.5)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo_core.nn.cache import positions_after
from zoo_core.nn.embeddings import LearnedPositions, check_positions


def sinusoids(positions: int, size: int, *, spread: int | None = None) -> Tensor:
    """(positions, size) float32: sines in the first half of the features, cosines in the second.

    Wavelengths grow from 2 pi to 10000 * 2 pi over `spread` steps, by default size / 2.
    """
    half = size // 2
    steps = torch.arange(half, dtype=torch.float32) / (spread or half)
    angles = torch.arange(positions, dtype=torch.float32)[:, None] * torch.exp(-math.log(10000.0) * steps)
    table = torch.cat((angles.sin(), angles.cos()), dim=1)
    return nn.functional.pad(table, (0, size % 2))


class SinusoidalTable(LearnedPositions):
    """A table of sinusoids that checkpoints store, and training leaves as it is (Marian, Pegasus)."""

    def __init__(self, positions: int, hidden_size: int) -> None:
        super().__init__(positions, hidden_size)
        self.weight.requires_grad_(False)

    def reset_parameters(self) -> None:
        with torch.no_grad():
            self.weight.copy_(sinusoids(self.num_embeddings, self.embedding_dim).to(self.weight.dtype))


class ComputedSinusoids(nn.Module):
    """Sinusoids of positions 0, 1, ...; nothing is stored (CTRL)."""

    table: Tensor

    def __init__(self, positions: int, hidden_size: int, *, spread: int | None = None) -> None:
        super().__init__()
        self.register_buffer("table", sinusoids(positions, hidden_size, spread=spread), persistent=False)

    def forward(self, position_ids: Tensor | None, past: int, hidden: Tensor) -> Tensor:
        """(1 or batch, sequence, hidden) for given positions, or for those that follow `past` tokens."""
        length = hidden.shape[1]
        if position_ids is None:
            position_ids = positions_after(past, length, hidden.device)[None]
        check_positions(position_ids, len(self.table), past + length)
        return self.table[position_ids].to(hidden.dtype)


class PaddedSinusoids(nn.Module):
    """Sinusoids of positions that skip padding and begin at pad_token_id + 1 (M2M-100, XGLM, Speech2Text).

    The row of the padding itself is zero. Nothing is stored: the table grows as sequences do.
    """

    table: Tensor

    def __init__(self, positions: int, hidden_size: int, pad_token_id: int) -> None:
        super().__init__()
        self.size, self.pad = hidden_size, pad_token_id
        self.register_buffer("table", self._make(positions + 2), persistent=False)

    def _make(self, rows: int) -> Tensor:
        table = sinusoids(rows, self.size, spread=self.size // 2 - 1)
        table[self.pad] = 0
        return table

    def forward(
        self, input_ids: Tensor | None, past: int, hidden: Tensor, *, position_ids: Tensor | None = None
    ) -> Tensor:
        """(1 or batch, sequence, hidden) for ids (batch, sequence) after `past` others; None: no padding.

        `position_ids` (batch, sequence), from 0 on, say where tokens stand instead.
        """
        if position_ids is not None:
            index = position_ids + self.pad + 1
        elif input_ids is None:
            index = positions_after(past, hidden.shape[1], hidden.device)[None] + self.pad + 1
        else:
            counted = (input_ids != self.pad).int()
            index = (counted.cumsum(1) + past) * counted + self.pad
        needed = past + hidden.shape[1] + self.pad + 1
        if needed > len(self.table):
            self.table = self._make(needed).to(self.table)
        return self.table[index.long()].to(hidden.dtype)
