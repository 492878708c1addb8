"""Attention with learned relative positions added to the scores (https://arxiv.org/abs/2009.13658)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext


class RelativeKeyAttention(Attention):
    """Method 4 of the paper with `with_key` ("relative_key_query"), else method 3's ("relative_key").

    Args:
        max_positions: distances from 1 - max_positions to max_positions - 1 have an embedding.
    """

    #: False where the products with distances are added to scores that have been scaled before (ALBERT)
    scales_bias = True

    def __init__(
        self, hidden_size: int, num_heads: int, *, max_positions: int, with_key: bool, **options: Any
    ) -> None:
        super().__init__(hidden_size, num_heads, **options)
        self.max_positions, self.with_key = max_positions, with_key
        self.distance_embedding = nn.Embedding(2 * max_positions - 1, self.head_dim)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        keys = torch.arange(key.shape[2], device=key.device)
        queries = torch.arange(query.shape[2], device=key.device) if self.cross else context.positions
        distance = self.distance_embedding(queries[:, None] - keys + self.max_positions - 1).to(query.dtype)
        bias = torch.einsum("bhqd,qkd->bhqk", query, distance)
        if self.with_key:
            bias = bias + torch.einsum("bhkd,qkd->bhqk", key, distance)
        return bias * self.scale if self.scales_bias else bias


def relative_or_plain(
    position_type: str | None, max_positions: int
) -> tuple[type[Attention], dict[str, Any]]:
    """The attention class, and its extra arguments, for a config's `position_embedding_type`."""
    if position_type in ("relative_key", "relative_key_query"):
        with_key = position_type == "relative_key_query"
        return RelativeKeyAttention, {"max_positions": max_positions, "with_key": with_key}
    return Attention, {}
