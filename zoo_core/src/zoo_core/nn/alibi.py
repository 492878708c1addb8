"""Attention with linear biases instead of position embeddings (https://arxiv.org/abs/2108.12409)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def alibi_slopes(num_heads: int, max_bias: float = 8.0) -> Tensor:
    """(heads,) float32: a geometric series; for a number of heads that is no power of two, of two series."""
    closest = 2 ** math.floor(math.log2(num_heads))
    slopes = 2.0 ** (-max_bias / closest * torch.arange(1, closest + 1, dtype=torch.float32))
    if closest < num_heads:
        further = 2.0 ** (-max_bias / (2 * closest) * torch.arange(1, 2 * (num_heads - closest), 2).float())
        slopes = torch.cat((slopes, further))
    return slopes


def alibi_bias(num_heads: int, key_length: int, device: torch.device, *, max_bias: float = 8.0) -> Tensor:
    """(1, heads, 1, keys) float32: slope times key position.

    Softmax ignores what is the same for all keys of a query, so positions need not be relative to it.
    """
    positions = torch.arange(key_length, device=device, dtype=torch.float32)
    return alibi_slopes(num_heads, max_bias).to(device)[None, :, None, None] * positions
