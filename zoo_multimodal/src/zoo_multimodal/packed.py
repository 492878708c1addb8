"""Image towers over images of any size: patches of all images in one row, each frame seen by itself.

NaViT's packing (https://arxiv.org/abs/2307.06304) without padding, as in Qwen2-VL and its kin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.recording import ATTENTIONS, wants
from zoo_core.nn.rotary import RotaryTables


class PackedAttention(Attention):
    """Self-attention among the tokens of one segment; segments follow each other in a single row."""

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        lengths: Sequence[int],
        rotary: RotaryTables | None = None,
        **options: Any,
    ) -> Tensor:
        """(1, tokens, hidden) to the same shape; `lengths` of the segments add up to the tokens."""
        query, key, value = self.heads(hidden, rotary)
        if wants(ATTENTIONS):  # one matrix of weights, zero between segments
            segment = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths)).to(hidden.device)
            mask = Mask(allowed=(segment[:, None] == segment)[None, None])
            return self.merge(self.attend(query, key, value, mask, **options))
        if len(set(lengths)) == 1:  # one batch of equal segments
            batch = [x[0].unflatten(1, (-1, lengths[0])).transpose(0, 1) for x in (query, key, value)]
            attended = self.attend(batch[0], batch[1], batch[2], Mask(), **options)
            return self.merge(attended.transpose(0, 1).flatten(1, 2)[None])
        parts = zip(*(x.split(list(lengths), dim=2) for x in (query, key, value)), strict=True)
        return self.merge(torch.cat([self.attend(*part, Mask(), **options) for part in parts], dim=2))


def grid_places(grid: Sequence[Sequence[int]], merge: int, device: torch.device) -> Tensor:
    """Rows and columns (patches, 2) of all patches of `grid` (time, rows, columns) entries.

    Patches are in the processor's order: blocks of `merge` x `merge`, frame by frame.
    """
    places = []
    for time, rows, columns in grid:
        row = torch.arange(rows, device=device).view(-1, 1, merge, 1)
        column = torch.arange(columns, device=device).view(1, -1, 1, merge)
        shape = (rows // merge, columns // merge, merge, merge)
        row, column = row.expand(rows // merge, columns // merge, merge, merge), column.expand(shape)
        places.append(torch.stack((row, column), dim=-1).reshape(-1, 2).repeat(time, 1))
    return torch.cat(places)


def stretched_positions(
    table: Tensor, grid: Sequence[Sequence[int]], merge: int, *, mode: str, align_corners: bool
) -> Tensor:
    """(patches, hidden): a trained square (side x side, hidden) stretched to each entry of `grid`.

    The order is that of `grid_places`; `mode` and `align_corners` are those of `F.interpolate`.
    """
    side = int(len(table) ** 0.5)
    square = table.t().unflatten(1, (side, side))[None].float()
    found = []
    for time, rows, columns in grid:
        plane = F.interpolate(square, (rows, columns), mode=mode, align_corners=align_corners)[0]
        blocks = plane.to(table.dtype).unflatten(2, (-1, merge)).unflatten(1, (-1, merge))
        found.append(blocks.permute(1, 3, 2, 4, 0).flatten(0, 3).repeat(time, 1))
    return torch.cat(found)


def check_grid(patches: int, grid: Sequence[Sequence[int]], merge: int, *, what: str = "grid_thw") -> None:
    """Refuse a grid that does not describe `patches` patches in whole blocks."""
    for i, (time, rows, columns) in enumerate(grid):
        if min(time, rows, columns) < 1 or rows % merge or columns % merge:
            raise ValueError(
                f"{what} of item {i} is {time}x{rows}x{columns}; rows and columns must be positive multiples "
                f"of the merge size {merge}, as the processor makes them"
            )
    described = sum(time * rows * columns for time, rows, columns in grid)
    if described != patches:
        raise ValueError(
            f"{what} describes {described} patches and the pixels hold {patches}; pass the processor's output"
        )
