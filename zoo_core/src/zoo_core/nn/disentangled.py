"""Attention to content and to relative positions, kept apart (https://arxiv.org/abs/2006.03654)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext


class DisentangledAttention(Attention):
    """Scores of content with content, content with positions ("c2p") and positions with content ("p2c").

    All share one scale, which counts the terms. `context.shared` holds the embeddings of the relative
    positions and the index (Q, K) of each pair of tokens among them.
    """

    def __init__(self, config: PretrainedConfig) -> None:
        self.kinds = [k for k in config.pos_att_type or () if k in ("c2p", "p2c")]
        terms = 1 + self.terms(config)
        size, heads = config.hidden_size, config.num_attention_heads
        super().__init__(
            size, heads, scale=(size // heads * terms) ** -0.5, dropout=config.attention_probs_dropout_prob
        )
        self.position_dropout = nn.Dropout(config.hidden_dropout_prob)
        if config.relative_attention:
            self.make_position_projections(config)

    def terms(self, config: PretrainedConfig) -> int:
        """How many terms are added to that of the contents; they count even where positions are off."""
        return len(self.kinds)

    def make_position_projections(self, config: PretrainedConfig) -> None:
        """Create what `position_key` and `position_query` use."""
        self.share = config.share_att_key
        if not self.share and "c2p" in self.kinds:
            self.pos_key_proj = nn.Linear(config.hidden_size, config.hidden_size)
        if not self.share and "p2c" in self.kinds:
            self.pos_query_proj = nn.Linear(config.hidden_size, config.hidden_size)

    def position_key(self, positions: Tensor) -> Tensor:
        """Keys of relative positions (1, number, hidden)."""
        return self.k_proj(positions) if self.share else self.pos_key_proj(positions)

    def position_query(self, positions: Tensor) -> Tensor:
        """Queries of relative positions (1, number, hidden)."""
        return self.q_proj(positions) if self.share else self.pos_query_proj(positions)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor | None:
        if "relative" not in context.shared or not self.kinds:
            return None
        positions = self.position_dropout(context.shared["relative"])[None]
        index = context.shared["index"].expand(*query.shape[:2], -1, -1)
        bias = torch.zeros((), dtype=query.dtype, device=query.device)
        if "c2p" in self.kinds:
            scores = query @ self.split(self.position_key(positions)).transpose(2, 3)
            bias = bias + scores.gather(-1, index)
        if "p2c" in self.kinds:
            scores = self.split(self.position_query(positions)) @ key.transpose(2, 3)
            bias = bias + scores.gather(-2, index)
        return bias * self.scale


def log_buckets(distance: Tensor, buckets: int, max_distance: int) -> Tensor:
    """Distances of either sign; those beyond half of `buckets` share logarithmically growing buckets."""
    middle = buckets // 2
    size = distance.abs().clamp(min=1).float()
    grown = (size / middle).log() / math.log((max_distance - 1) / middle) * (middle - 1)
    far = (grown.ceil() + middle) * distance.sign()
    return torch.where(distance.abs() <= middle, distance, far.long())


class RelativePositions(nn.Module):
    """A stack of `DisentangledAttention` that holds the embeddings of relative positions."""

    def make_relative_positions(self, config: PretrainedConfig) -> None:
        """Create what `prepare_positions` uses."""
        self.buckets = getattr(config, "position_buckets", -1)
        self.farthest = getattr(config, "max_relative_positions", -1)
        if self.farthest < 1:
            self.farthest = config.max_position_embeddings
        self.rel_embeddings: nn.Embedding | None = None
        self.rel_norm: nn.LayerNorm | None = None
        if config.relative_attention:
            self.reach = self.buckets if self.buckets > 0 else self.farthest
            self.rel_embeddings = nn.Embedding(2 * self.reach, config.hidden_size)
        if "layer_norm" in getattr(config, "norm_rel_ebd", ""):
            self.rel_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def prepare_positions(self, context: AttentionContext) -> None:
        """Leave the embeddings of relative positions, and the index of each pair, for all layers."""
        if self.rel_embeddings is None:
            return
        distance = context.positions[:, None] - context.positions
        if self.buckets > 0:
            distance = log_buckets(distance, self.buckets, self.farthest)
        context.shared["index"] = (distance + self.reach).clamp(0, 2 * self.reach - 1)
        table = self.rel_embeddings.weight
        context.shared["relative"] = table if self.rel_norm is None else self.rel_norm(table)
