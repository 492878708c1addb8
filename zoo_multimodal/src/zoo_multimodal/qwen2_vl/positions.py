"""Positions of three axes (time, row, column) for text with images and videos in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from zoo_core.nn.cache import Cache, RowSlot, positions_after

Grid = tuple[Sequence[int], int, int]
"""Positions in time, from 0, and the numbers of rows and columns of features of one image or video."""


def text_positions(mask: Tensor) -> tuple[Tensor, Tensor]:
    """As `rope_index`, where there is nothing but text; `mask` (batch, sequence) is 0 for padding."""
    positions = (mask.long().cumsum(-1) - 1).masked_fill(mask == 0, 1)
    deltas = positions.amax(-1, keepdim=True) + 1 - mask.shape[1]
    return positions.expand(3, -1, -1), deltas


def rope_index(
    input_ids: Tensor, mask: Tensor, grids: Mapping[int, Iterator[Grid]], *, start_token: int
) -> tuple[Tensor, Tensor]:
    """Positions (3, batch, sequence), and how far the next token is from its index (batch, 1).

    Text advances all axes alike. An image or a video begins after `start_token` with its placeholder, the
    key of `grids`, and its features lie in a box that starts at the next position; text goes on after the
    box's longest side.

    Args:
        mask: (batch, sequence), 0 for padding, whose positions are 1.
        grids: for each placeholder what is in the texts, in their order.

    Raises:
        ValueError: more images in the texts than grids, or placeholders that do not fill a grid.
    """
    positions = torch.ones(3, *input_ids.shape, dtype=torch.int64, device=input_ids.device)
    deltas = []
    kinds = torch.tensor(list(grids), device=input_ids.device)
    for row, (ids, kept) in enumerate(zip(input_ids, mask.bool(), strict=True)):
        ids = ids[kept]
        starts = 1 + (torch.isin(ids[1:], kinds) & (ids[:-1] == start_token)).nonzero()[:, 0]
        parts, end, following = [], 0, 0
        for start in starts.tolist():
            grid = next(grids[int(ids[start])], None)
            if grid is None:
                raise ValueError(
                    f"text {row} has more images or videos than grids were given; pass one for each"
                )
            parts.append(following + torch.arange(start - end).expand(3, -1))
            following += start - end
            box = box_positions(grid)
            end = start + box.shape[1]
            if end > len(ids) or bool((ids[start:end] != ids[start]).any()):
                raise ValueError(
                    f"text {row}: an image or video of {box.shape[1]} features has another number of "
                    "placeholders; the processor puts one for each feature"
                )
            parts.append(following + box)
            following += int(box.max()) + 1
        parts.append(following + torch.arange(len(ids) - end).expand(3, -1))
        following += len(ids) - end
        positions[:, row, kept] = torch.cat(parts, dim=1).to(positions.device)
        deltas.append(following - input_ids.shape[1])
    return positions, torch.tensor(deltas, device=input_ids.device)[:, None]


def box_positions(grid: Grid) -> Tensor:
    """(3, features) places in time, row and column, frame by frame and row by row."""
    times, rows, columns = grid
    axes = torch.meshgrid(torch.tensor(times), torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack(axes).flatten(1)


def shift(cache: Cache | None, deltas: Tensor | None = None) -> RowSlot:
    """Where a cache keeps how far positions of its rows are from their index; `deltas` replaces it."""
    slot = RowSlot() if cache is None else cache.slot("positions", 0, RowSlot)
    if deltas is not None:
        slot.value = deltas
    return slot


def continued(positions: Tensor, deltas: Tensor, cache: Cache | None, slot: RowSlot) -> tuple[Tensor, Tensor]:
    """Positions (3, batch, new) counted from the first new token, moved behind what the cache holds."""
    past = 0 if cache is None else cache.length
    if slot.value is not None:
        positions, deltas = positions + slot.value.to(positions.device), deltas + slot.value.to(deltas.device)
    slot.value = deltas
    return positions + past, deltas


def mask_of_new(mask: Tensor | None, hidden: Tensor, cache: Cache | None) -> Tensor:
    """The part (batch, new) of a padding mask over all tokens that belongs to the new ones `hidden`."""
    batch, new = hidden.shape[:2]
    if mask is None or mask.dim() != 2:
        return torch.ones(batch, new, dtype=torch.int64, device=hidden.device)
    past = 0 if cache is None else cache.length
    return mask[:, positions_after(past, new, mask.device)]


def videos_of_rows(starts: Sequence[int], grid: Tensor) -> list[int]:
    """How many videos, of those in `grid` (videos, 3), each row has in which so many frames begin."""
    times, counts = iter(grid[:, 0].tolist()), []
    for frames in starts:
        count = 0
        while frames > 0:
            frames, count = frames - next(times), count + 1
        counts.append(count)
    return counts
