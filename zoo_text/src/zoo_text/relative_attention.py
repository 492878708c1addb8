"""Attention by content and relative position (https://arxiv.org/abs/1901.02860, section 3.3).

Learned biases take the place of the query's own position, and keys of the distances that of the key's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear


class RelativeAttention(Attention):
    """Attention with a score for the content and one for the distance (Transformer-XL)."""

    def __init__(self, hidden_size: int, num_heads: int, **options: Any) -> None:
        super().__init__(hidden_size, num_heads, **options)
        shape = (num_heads, self.head_dim)
        self.r_proj = Linear(hidden_size, num_heads * self.head_dim, bias=False)
        self.content_bias = nn.Parameter(torch.zeros(shape))
        self.position_bias = nn.Parameter(torch.zeros(shape))

    def position_scores(self, query: Tensor, relative: Tensor, index: Tensor) -> Tensor:
        """Unscaled scores (batch, heads, Q, K) of the distances between queries and keys.

        relative: (1 or batch, heads, D, width), keys of the distances that occur.
        index: (Q, K) which of them lies between a query and a key.
        """
        scores = (query + self.position_bias[:, None]) @ relative.transpose(2, 3)
        return scores.gather(-1, index.expand(*scores.shape[:2], -1, -1))


class SegmentAttention(RelativeAttention):
    """A third score tells whether query and key are of one segment (https://arxiv.org/abs/1906.08237)."""

    def __init__(self, hidden_size: int, num_heads: int, **options: Any) -> None:
        super().__init__(hidden_size, num_heads, **options)
        self.segment_bias = nn.Parameter(torch.zeros(num_heads, self.head_dim))
        self.segment_embed = nn.Parameter(torch.zeros(2, num_heads, self.head_dim))

    def segment_scores(self, query: Tensor, second: Tensor) -> Tensor:
        """Unscaled scores (batch, heads, Q, K) by either embedding, the second where `second`.

        second: bool (batch, 1, Q, K).
        """
        scores = torch.einsum("bhqd,ghd->bhqg", query + self.segment_bias[:, None], self.segment_embed)
        return torch.where(second, scores[..., 1:], scores[..., :1])
