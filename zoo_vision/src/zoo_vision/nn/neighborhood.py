"""Attention of each cell of a map to the cells around it (https://arxiv.org/abs/2204.07143)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.attention import Attention
from zoo_core.nn.recording import ATTENTIONS, record


def neighbors(length: int, kernel: int, dilation: int, device: torch.device | None = None) -> Tensor:
    """(length, kernel) int64: the neighbours of each place on one axis, `dilation` places apart.

    They lie around the place, moved inwards near an edge so that all of them exist.

    Raises:
        ValueError: there are fewer than `kernel` places `dilation` apart.
    """
    if length < kernel * dilation:
        raise ValueError(f"{length} places have no {kernel} neighbours {dilation} apart")
    place = torch.arange(length, device=device)
    turn, group = place // dilation, place % dilation
    size = (length - group + dilation - 1) // dilation  # places of the same remainder
    first = (turn - kernel // 2).clamp(min=0).minimum(size - kernel)
    return (first[:, None] + torch.arange(kernel, device=device)) * dilation + group[:, None]


class NeighborhoodAttention(Attention):
    """Attention to the kernel x kernel cells around each cell, with a bias for each offset.

    Args:
        kernel: odd. dilation: how far apart the neighbours are (https://arxiv.org/abs/2209.15001).
    """

    def __init__(
        self,
        size: int,
        heads: int,
        *,
        kernel: int,
        dilation: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(size, heads, bias=bias, out_bias=True, dropout=dropout)
        self.kernel, self.dilation = kernel, dilation
        self.rpb = nn.Parameter(torch.zeros(heads, 2 * kernel - 1, 2 * kernel - 1))

    def forward(self, x: Tensor, context: None = None) -> Tensor:  # type: ignore[override]
        """(batch, rows, columns, size) to the same shape; a map too small is padded with zeros."""
        rows, columns = x.shape[1:3]
        least = self.kernel * self.dilation
        x = F.pad(x, (0, 0, 0, max(least - columns, 0), 0, max(least - rows, 0)))
        grid = (x.shape[1], x.shape[2])
        parts = [part.unflatten(2, grid) for part in self.heads(x.flatten(1, 2), None)]
        query, key, value = parts  # batch, heads, rows, columns, width
        near = [neighbors(n, self.kernel, self.dilation, x.device) for n in grid]
        at = (..., near[0][:, None, :, None], near[1][None, :, None, :], slice(None))
        scores = torch.einsum("bhrcw,bhrcijw->bhrcij", query * self.scale, key[at])
        scores = (scores + self._bias(near)).flatten(-2)
        weights = F.dropout(scores.softmax(-1), self.dropout, self.training)
        record(ATTENTIONS, weights)
        seen = torch.einsum("bhrcn,bhrcnw->bhrcw", weights, value[at].flatten(-3, -2))
        return self.merge(seen.flatten(2, 3)).unflatten(1, grid)[:, :rows, :columns]

    def _bias(self, near: list[Tensor]) -> Tensor:
        """(heads, rows, columns, kernel, kernel): of the offsets from each cell to its neighbours."""
        down, across = (
            (n - torch.arange(len(n), device=n.device)[:, None]) // self.dilation + self.kernel - 1
            for n in near
        )
        return self.rpb[:, down[:, None, :, None], across[None, :, None, :]]
