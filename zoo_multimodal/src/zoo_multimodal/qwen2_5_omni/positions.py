"""Time-aligned positions of text, images, sounds and videos, whose own sounds stand among their frames.

TMRoPE (https://arxiv.org/abs/2503.20215).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Box = Tensor
"""Positions (3, features) in time, row and column of one image or video, from 0."""


def boxes(grid_thw: Tensor | None, merge: int, times: Iterator[Tensor]) -> Iterator[Box]:
    """The boxes of images or videos; `times` gives the positions (frames,) of each in time."""
    for (_, rows, columns), frames in zip([] if grid_thw is None else grid_thw.tolist(), times, strict=False):
        axes = (torch.arange(rows // merge), torch.arange(columns // merge))
        box = torch.meshgrid(frames, *(axis.to(frames) for axis in axes), indexing="ij")
        yield torch.stack(box).flatten(1)


def aligned_positions(
    input_ids: Tensor,
    mask: Tensor,
    media: Mapping[int, Iterator[Box]],
    config: Any,
    *,
    dtype: torch.dtype,
    joint_marks: bool,
) -> tuple[Tensor, Tensor]:
    """Positions (3, batch, sequence), and how far the next token is from its index (batch, 1).

    Text and sounds advance all axes alike; an image or a video is a box, see `boxes`, that begins at the
    next position. Where a video's start is followed by that of a sound, both begin at one position.

    Args:
        mask: (batch, sequence), 0 for padding. media: the boxes for each placeholder, in the texts' order.
        joint_marks: whether the starts of such a video and sound share a position, and their ends.
    """
    positions = torch.ones(3, *input_ids.shape, dtype=dtype, device=input_ids.device)
    deltas = []
    for row, (ids, kept) in enumerate(zip(input_ids.cpu(), mask.bool().cpu(), strict=True)):
        found = row_positions(ids[kept], media, config, dtype=dtype, joint_marks=joint_marks, row=row)
        positions[:, row, kept.to(positions.device)] = found.to(positions.device)
        deltas.append(found.max() + 1 - input_ids.shape[1] if found.numel() else found.new_zeros(()))
    return positions, torch.stack(deltas).to(input_ids.device)[:, None]


def row_positions(
    ids: Tensor,
    media: Mapping[int, Iterator[Box]],
    config: Any,
    *,
    dtype: torch.dtype,
    joint_marks: bool,
    row: int,
) -> Tensor:
    """Positions (3, tokens) of one text without padding."""
    found = torch.empty(3, len(ids), dtype=dtype)
    starts = (ids[:-1] == config.vision_start_token_id).nonzero()[:, 0].tolist()
    end, following = 0, torch.zeros((), dtype=dtype)
    for start in starts:
        heard = int(ids[start + 1]) == config.audio_start_token_id
        kind = config.video_token_id if heard else int(ids[start + 1])
        if kind not in media or start < end:
            continue
        box = next(media[kind], None)
        if box is None:
            raise ValueError(f"text {row} has more images or videos than grids were given; pass one for each")
        first = start + (2 if heard else 1)
        found[:, end:first] = following + torch.arange(first - end)
        if heard and joint_marks:
            found[:, first - 1] = found[:, first - 2]
        following = found[0, first - 1] + 1
        span = ids[first:]
        content = (span == kind) | (span == config.audio_token_id) if heard else span == kind
        length = int((~content).nonzero()[0, 0]) if bool((~content).any()) else len(span)
        seen = span[:length] == kind
        if not heard:
            length = min(length, box.shape[1])
            seen = seen[:length]
        if int(seen.sum()) != box.shape[1]:
            raise ValueError(
                f"text {row}: an image or video of {box.shape[1]} features has {int(seen.sum())} "
                "placeholders; the processor puts one for each feature"
            )
        places = found[:, first : first + length]
        places[:, seen] = following + box.to(dtype)
        places[:, ~seen] = following + torch.arange(int((~seen).sum()))
        last = int((seen != seen[-1]).nonzero()[-1, 0]) + 1 if bool((seen != seen[-1]).any()) else 0
        following, end = places[:, last:].max() + 1, first + length
        if heard and joint_marks and end + 1 < len(ids):
            found[:, end : end + 2] = following
            following, end = following + 1, end + 2
    found[:, end:] = following + torch.arange(len(ids) - end)
    return found
