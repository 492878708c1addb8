"""When each token was heard: dynamic time warping over cross-attention (https://arxiv.org/abs/2212.04356)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def warp(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cheapest monotonic path through `cost` (rows, columns), as indices of rows and of columns.

    Steps go right, down or both ways at once; whole antidiagonals are computed together.
    """
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    step = np.full((rows + 1, columns + 1), 2, dtype=np.int8)
    step[:, 0] = 1
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        both, down, right = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
        chosen = np.where((both < down) & (both < right), 0, np.where((down < both) & (down < right), 1, 2))
        total[i, j] = cost[i - 1, j - 1] + np.choose(chosen, (both, down, right))
        step[i, j] = chosen
    i, j, path = rows, columns, []
    while i > 0 or j > 0:
        path.append((i - 1, j - 1))
        taken = step[i, j] if i else 2
        i, j = i - (taken != 2), j - (taken != 1)
    found = np.array(path[::-1])
    return found[:, 0], found[:, 1]


def median_filter(values: Tensor, width: int) -> Tensor:
    """The median of `width` neighbours along the last dimension, which is mirrored at its ends."""
    reach = width // 2
    if width <= 1 or values.shape[-1] <= reach:
        return values
    padded = F.pad(values, (reach, reach, 0, 0), mode="reflect")
    return padded.unfold(-1, width, 1).sort()[0][..., reach]


def heard_at(
    output: Any,
    heads: list[list[int]],
    *,
    prompt: int,
    frames: list[int] | None,
    width: int,
    precision: float,
) -> Tensor:
    """Seconds in the window at which each token of `output.sequences` was heard, (rows, length) float32.

    Args:
        output: of `generate`, with cross_attentions. heads: (layer, head) of those that follow the speech.
        prompt: tokens that were given; they are at 0. frames: of each row, in steps of `precision`; later
            ones are padding. width: of the median filter.
    """
    sequences = output.sequences
    steps = output.cross_attentions  # (step)(layer)(rows x beams, heads, queries, frames)
    weights = torch.stack(
        [torch.cat([step[layer][:, head] for step in steps], dim=1) for layer, head in heads], dim=1
    )
    beams = output.get("beam_indices")
    if beams is not None:  # each token's weights come from the beam that it was on
        made = int((beams != -1).sum(-1).max())
        rows = torch.cat((beams[:, :1].expand(-1, prompt - 1), beams[:, :made]), dim=1)
        rows = rows[:, : weights.shape[2]].clamp(min=0)
        weights = torch.stack(
            [weights[rows[:, i], :, i] for i in range(rows.shape[1])], dim=2
        )  # (sequences, heads, tokens, frames)
    found = torch.zeros(sequences.shape, dtype=torch.float32)
    for row, table in enumerate(weights[:, :, prompt:]):
        if frames is not None:
            table = table[..., : frames[row]]
        if 0 in table.shape:
            continue
        deviation, mean = torch.std_mean(table, dim=-2, keepdim=True, correction=0)
        matrix = median_filter((table - mean) / deviation, width).mean(0)
        tokens, places = warp(-matrix.double().cpu().numpy())
        jumps = np.diff(tokens, prepend=-1).astype(bool)
        moments = torch.from_numpy(places[jumps] * precision).float()
        found[row, prompt : prompt + len(moments)] = moments
        found[row, prompt + len(moments) :] = moments[-1]  # the last token was never read
    return found.to(sequences.device)
