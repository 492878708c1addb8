"""Self-attention of the main stream, and of streams that predict further tokens from it.

See https://arxiv.org/abs/2001.04063, section 3.2. Stream g at a position knows the tokens up to g before it,
and itself; it predicts the token after the position.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, AttentionContext, Mask
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_core.nn.relative_bias import relative_buckets
from zoo_text.prophetnet.config import ProphetNetConfig


class NgramAttention(Attention):
    """Attention over (batch, (1 + ngram) x T, hidden): the main stream's states, then each other stream's.

    The other streams' scores of distances are computed in the order (T, streams, heads) and read in the
    order (streams, heads, T): so it was recorded. One token at a time, as in generation with a cache, both
    orders are one.
    """

    def __init__(self, config: ProphetNetConfig, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size,
            config.num_decoder_attention_heads,
            dropout=config.attention_dropout,
            rule=CAUSAL,
            layer_idx=layer_idx,
        )
        self.streams, self.buckets = config.ngram, config.num_buckets
        self.max_distance = config.relative_max_distance
        self.relative = Linear(config.hidden_size, self.buckets * self.num_heads)

    def forward(  # type: ignore[override]
        self, hidden: Tensor, context: AttentionContext, *, head_mask: Tensor | None = None, **inputs: Any
    ) -> Tensor:
        length, streams = context.query_length, self.streams
        query, key, value = self.heads(hidden, None)
        table = self.relative(hidden).unflatten(-1, (self.buckets, -1))
        main_key, main_value = key[:, :, :length], value[:, :, :length]
        if context.cache is not None and self.layer_idx is not None:
            main_key, main_value = context.cache.attention(self.layer_idx).update(main_key, main_value)
        if "main_mask" not in context.shared:
            self.share(context, main_key.shape[2])
        shared = context.shared

        def biases(table: Tensor, name: str) -> Tensor:  # of (rows, heads, T, buckets)
            buckets = shared[f"{name}_buckets"].expand(*table.shape[:2], -1, -1)
            return table.gather(-1, buckets) + shared[f"{name}_mask"]

        main, weights = self.weigh(
            query[:, :, :length],
            main_key,
            main_value,
            Mask(),
            bias=biases(table[:, :length].permute(0, 3, 1, 2), "main"),
            head_mask=head_mask,
        )

        def apart(x: Tensor) -> Tensor:  # (batch x streams, heads, T, ...), without the main stream
            return x[:, :, length:].unflatten(2, (streams, length)).transpose(1, 2).flatten(0, 1)

        ahead, ahead_weights = self.weigh(
            apart(query),
            torch.cat((main_key.repeat_interleave(streams, 0), apart(key)), dim=2),
            torch.cat((main_value.repeat_interleave(streams, 0), apart(value)), dim=2),
            Mask(),
            bias=biases(self.reordered(table[:, length:], shared.get("lead")), "ahead"),
            head_mask=head_mask,
        )
        if weights is not None and ahead_weights is not None:
            record(ATTENTIONS, (weights, ahead_weights.unflatten(0, (-1, streams))))
        ahead = ahead.unflatten(0, (-1, streams)).transpose(1, 2).flatten(2, 3)
        return self.merge(torch.cat((main, ahead), dim=2))

    def reordered(self, table: Tensor, lead: Tensor | None) -> Tensor:
        """(batch, streams x T, buckets, heads) as (batch x streams, heads, T, buckets); see the class.

        Args:
            lead: (batch,) tokens of padding on the left, which must not move the others.
        """
        batch, heads, streams = len(table), self.num_heads, self.streams
        length = table.shape[1] // streams
        rows = table.unflatten(1, (streams, length)).permute(0, 2, 1, 4, 3).flatten(1, 3)
        if lead is not None:
            lead = lead[:, None, None]
            place = torch.arange(streams * heads, device=table.device)[:, None]
            source = place * (length - lead) + torch.arange(length, device=table.device) - lead
            source = (source + lead * streams * heads).clamp(min=0).flatten(1)
            rows = rows.gather(1, source[..., None].expand(-1, -1, self.buckets))
        return rows.reshape(batch * streams, heads, length, self.buckets)

    def share(self, context: AttentionContext, keys: int) -> None:
        """Put masks, added to scores, and buckets of distances where the other layers find them."""
        lowest, device = torch.finfo(context.dtype).min, context.device

        def hide(hidden: Tensor) -> Tensor:
            return torch.zeros_like(hidden, dtype=context.dtype).masked_fill(hidden, lowest)

        at, key = context.positions[:, None], torch.arange(keys, device=device)
        stream = torch.arange(self.streams, device=device)[:, None, None]
        main = hide(key > at)[None, None]
        first = context.shared.get("lead", context.positions[:1] * 0)[:, None, None, None, None]
        # (1 or batch, streams, 1, T, keys); all see the first token, beside which the second stream sees none
        before = hide((key > at - stream[:, None]) & (key > first))
        if context.padding is not None:  # what is hidden twice is -inf: rows of padding see the rest
            kept = torch.nn.functional.pad(context.padding, (0, keys - context.padding.shape[-1]))
            main, before = main + hide(~kept), before + hide(~kept)[:, None]
        before = before.expand(context.batch, -1, -1, -1, -1).flatten(0, 1)
        itself = hide(~torch.eye(len(at), dtype=torch.bool, device=device)).expand(*before.shape[:3], -1)

        def buckets(distance: Tensor) -> Tensor:
            count, most = self.buckets, self.max_distance
            return relative_buckets(distance, buckets=count, max_distance=most, bidirectional=False)

        distance = key - at
        context.shared |= {
            "main_mask": main,
            "main_buckets": buckets(distance),
            "ahead_mask": torch.cat((before, itself), dim=-1),
            "ahead_buckets": buckets(torch.cat((distance - 1, at.T - at), dim=-1)),
        }
