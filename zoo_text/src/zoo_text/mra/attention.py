"""Multi-resolution attention (https://arxiv.org/abs/2207.10284, MRA-2): exact where it matters most."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 32
#: added to the scores of blocks that are chosen before others, and taken from those of empty ones
_PRIOR, _EMPTY = 5e3, 1e4


def multiresolution_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    kept: Tensor,
    *,
    scale: float,
    blocks: int,
    coarse: bool,
    first: int = 0,
    diagonals: int = 0,
) -> Tensor:
    """Attended values (batch, heads, length, width), at a cost of `blocks` pairs of blocks.

    Args:
        query, key, value: (batch, heads, length, width). kept: (batch, length), 0 for padding.
        blocks: how many pairs of 32 queries and 32 keys are computed exactly; those whose mean scores come
            nearest to the highest of their row.
        coarse: use the mean scores of all others; else they are left out.
        first, diagonals: rows and columns from the start, and diagonals, that come before others.
    """
    length = query.shape[2]
    short = -length % BLOCK
    kept = F.pad(kept.to(query.dtype), (0, short)).unflatten(1, (-1, BLOCK))[:, None]
    query, key, value = (
        F.pad(x, (0, 0, 0, short)).unflatten(2, (-1, BLOCK)) * kept[..., None] for x in (query, key, value)
    )
    count, rows = kept.sum(-1), kept.shape[2]
    means = [x.sum(3) / (count[..., None] + 1e-6) for x in (query, key)]
    low = means[0] @ means[1].transpose(2, 3) * scale
    empty = count[..., :, None] * count[..., None, :] == 0
    rank = low - low.amax(-1, keepdim=True) - _EMPTY * empty + _prior(rows, first, diagonals, low)
    chosen = rank.flatten(2).topk(min(blocks, rows**2)).indices
    row, column = (chosen // rows)[..., None], (chosen % rows)[..., None]

    exact = take(query, row) @ take(key, column).transpose(3, 4) * scale
    hidden = take(kept.expand(*query.shape[:4]), column)[..., None, :] == 0
    exact = exact.masked_fill(hidden, -torch.inf)  # (batch, heads, blocks, queries, keys)
    rest = low.flatten(2).scatter(2, chosen, -torch.inf).view_as(low) if coarse else low * 0 - torch.inf
    rest = rest.masked_fill(empty, -torch.inf)
    peak = rest.amax(-1, keepdim=True).expand(-1, -1, -1, BLOCK)
    peak = peak.scatter_reduce(2, row.expand(*exact.shape[:4]), exact.amax(-1), "amax")
    peak = peak.detach().clamp(min=torch.finfo(peak.dtype).min)

    weights = (exact - take(peak, row)[..., None]).exp()
    means_weights = (rest[..., None, :] - peak[..., None]).exp()
    total = (means_weights * count[..., None, None, :]).sum(-1)
    total = total.scatter_add(2, row.expand(*weights.shape[:4]), weights.sum(-1))
    attended = means_weights @ value.sum(3)[:, :, None]
    part = weights @ take(value, column)
    attended = attended.scatter_add(2, row[..., None].expand_as(part), part)
    attended = attended / (total[..., None] + 1e-6) * kept[..., None]
    return attended.flatten(2, 3)[:, :, :length]


def take(x: Tensor, index: Tensor) -> Tensor:
    """Blocks (batch, heads, n, ...) at index (batch, heads, chosen, 1)."""
    return torch.take_along_dim(x, index.view(*index.shape[:3], *[1] * (x.dim() - 3)), dim=2)


def _prior(rows: int, first: int, diagonals: int, like: Tensor) -> Tensor:
    """What is added to the rank of each pair of blocks, (rows, rows)."""
    place = torch.arange(rows, device=like.device)
    edge = (place < first).to(like.dtype) * _PRIOR
    near = (place[:, None] - place).abs() <= diagonals // 2
    return edge[:, None] + edge + (near.to(like.dtype) * _PRIOR if diagonals else 0.0)
