"""Learned scalar biases for distances between positions (https://arxiv.org/abs/1910.10683, section 2.1)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def relative_buckets(distance: Tensor, *, buckets: int, max_distance: int, bidirectional: bool) -> Tensor:
    """Bucket numbers of distances (key position minus query position), int64 of the same shape.

    Half of the buckets hold one distance each, the rest grow logarithmically up to `max_distance`;
    bidirectional attention has such a set for either side.
    """
    start = torch.zeros_like(distance)
    if bidirectional:
        buckets //= 2
        start = (distance > 0).long() * buckets
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = buckets // 2
    grown = (distance.float() / exact).log() / math.log(max_distance / exact) * (buckets - exact)
    far = (exact + grown.long()).clamp(max=buckets - 1)
    return start + torch.where(distance < exact, distance, far)


class RelativeBias(nn.Embedding):
    """A bias for each bucket of distances and each head."""

    def __init__(self, heads: int, *, buckets: int, max_distance: int, bidirectional: bool) -> None:
        super().__init__(buckets, heads)
        self.max_distance, self.bidirectional = max_distance, bidirectional

    def forward(self, queries: Tensor, keys: Tensor) -> Tensor:  # type: ignore[override]
        """Positions (Q,) and (K,), or (batch, Q) and (batch, K), to biases (1 or batch, heads, Q, K)."""
        return self.of_distances(keys[..., None, :] - queries[..., None])

    def of_distances(self, distances: Tensor) -> Tensor:
        """Distances (Q, K) or (batch, Q, K) to biases (1 or batch, heads, Q, K)."""
        index = relative_buckets(
            distances,
            buckets=self.num_embeddings,
            max_distance=self.max_distance,
            bidirectional=self.bidirectional,
        )
        biases = super().forward(index).movedim(-1, -3)
        return biases if biases.dim() == 4 else biases[None]
