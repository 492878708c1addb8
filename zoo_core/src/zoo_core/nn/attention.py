"""Multi-head attention (https://arxiv.org/abs/1706.03762) with the options that checkpoints need."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zoo_core.nn.attention_functions import ATTENTION_FUNCTIONS, Scoring
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import FULL, AttentionContext, Mask, MaskRule
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, record, wants
from zoo_core.nn.rotary import RotaryTables


class AttentionCore(nn.Module):
    """What every attention does once it has queries, keys and values: cache, mask, attend, merge.

    A subclass sets the attributes below, has an `o_proj`, and defines `heads`.
    """

    #: name of the implementation; `PreTrainedModel.set_attn_implementation` changes it
    implementation = "sdpa"

    scale: float
    dropout: float = 0.0
    softcap: float | None = None
    rule: MaskRule = FULL
    layer_idx: int | None = None
    cross: bool = False
    sinks: nn.Parameter | None
    o_proj: nn.Module

    def __init__(self) -> None:
        super().__init__()
        self.register_parameter("sinks", None)

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (batch, heads, sequence, width) of (batch, sequence, hidden), rotated."""
        raise NotImplementedError

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor | None:
        """What is added to the scaled scores (relative positions, ALiBi); nothing here.

        Args:
            query: (batch, heads, Q, width), rotated. key: (batch, kv heads, K, width).
        """
        return None

    def merge(self, attended: Tensor) -> Tensor:
        """(batch, heads, query, width) to the output (batch, query, hidden)."""
        return self.o_proj(attended.transpose(1, 2).flatten(2))

    def forward(
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        rotary: RotaryTables | None = None,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        """(batch, query, hidden) to the same shape; `bias` is added to the scores of every layer alike."""
        query, key, value, mask = self.inputs(hidden, context, rotary)
        if self.cross and context.cross_head_mask is not None and self.layer_idx is not None:
            head_mask = context.cross_head_mask[self.layer_idx].view(1, -1, 1, 1)
        own = self.score_bias(query, key, context)
        if own is not None:
            bias = own if bias is None else bias + own
        return self.merge(self.attend(query, key, value, mask, bias=bias, head_mask=head_mask))

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Mask,
        *,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        """Attended values (batch, heads, query, value width), by the implementation in force."""
        name = CROSS_ATTENTIONS if self.cross else ATTENTIONS
        attended, weights = self.weigh(query, key, value, mask, name=name, bias=bias, head_mask=head_mask)
        record(name, weights)
        return attended

    def weigh(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Mask,
        *,
        name: str = ATTENTIONS,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attended values, and the weights where `name` is to be recorded; what `attend` does first."""
        scoring = self.scoring(bias, head_mask)
        implementation = ATTENTION_FUNCTIONS["eager" if wants(name) else self.implementation]
        return implementation(query, key, value, mask, scoring)

    def scoring(self, bias: Tensor | None, head_mask: Tensor | None) -> Scoring:
        """How scores are formed in this call."""
        return Scoring(
            scale=self.scale,
            softcap=self.softcap,
            dropout=self.dropout if self.training else 0.0,
            sinks=self.sinks,
            bias=bias,
            head_mask=head_mask,
        )

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        """Queries, all keys and values that they may see, cached ones included, and the mask."""
        query, key, value = self.heads(hidden, rotary)
        return query, *self.remember(key, value, context)

    def remember(self, key: Tensor, value: Tensor, context: AttentionContext) -> tuple[Tensor, Tensor, Mask]:
        """New keys and values joined to the cached ones, and the mask over all of them."""
        offset = 0
        if context.cache is not None and self.layer_idx is not None:
            slot = context.cache.attention(self.layer_idx, window=self.rule.window)
            key, value = slot.update(key, value)
            offset = slot.offset
        return key, value, context.mask(self.rule, key.shape[2], key_offset=offset)


class Attention(AttentionCore):
    """Self-attention, or cross-attention to `context.encoder_states`.

    Args:
        hidden_size: width of the input and of the output.
        num_heads: query heads. num_kv_heads: key and value heads (grouped queries), by default as many.
        head_dim: width of a head, by default hidden_size / num_heads.
        bias: biases of the query, key and value projections. out_bias: of the output projection.
        key_bias: of the key projection where it differs from `bias` (Whisper).
        scale: factor of the dot product, by default head_dim ** -0.5.
        softcap, sinks: see `Scoring`.
        qk_norm: makes the norm of queries and of keys, given the width: a head's, or, with
            qk_norm_full, that of all heads together.
        rule: which positions may be seen; `rule.window` also sizes the cache.
        layer_idx: the layer's slot in a cache; None for attention that is never cached.
        cross: attend to the encoder's states, of width kv_size (by default hidden_size).
    """

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        *,
        num_kv_heads: int | None = None,
        head_dim: int | None = None,
        bias: bool = True,
        key_bias: bool | None = None,
        out_bias: bool | None = None,
        scale: float | None = None,
        dropout: float = 0.0,
        softcap: float | None = None,
        sinks: bool = False,
        qk_norm: NormFactory | None = None,
        qk_norm_full: bool = False,
        rule: MaskRule = FULL,
        layer_idx: int | None = None,
        cross: bool = False,
        kv_size: int | None = None,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.num_kv_heads = num_kv_heads or num_heads
        self.head_dim = head_dim or hidden_size // num_heads
        self.scale = self.head_dim**-0.5 if scale is None else scale
        self.dropout, self.softcap = dropout, softcap
        self.rule, self.layer_idx, self.cross = rule, layer_idx, cross
        self.qk_norm_full = qk_norm_full
        self.q_norm: nn.Module | None = None
        self.k_norm: nn.Module | None = None
        width, kv_width = self.num_heads * self.head_dim, self.num_kv_heads * self.head_dim
        self.make_projections(
            hidden_size, kv_size or hidden_size, bias, bias if key_bias is None else key_bias
        )
        self.o_proj = Linear(width, hidden_size, bias=bias if out_bias is None else out_bias)
        if qk_norm is not None:
            self.q_norm = qk_norm(width if qk_norm_full else self.head_dim)
            self.k_norm = qk_norm(kv_width if qk_norm_full else self.head_dim)
        if sinks:
            self.sinks = nn.Parameter(torch.empty(num_heads))
            nn.init.zeros_(self.sinks)

    def make_projections(self, hidden_size: int, kv_size: int, bias: bool, key_bias: bool) -> None:
        """Create what `project` uses; a subclass with a fused layout overrides both."""
        width, kv_width = self.num_heads * self.head_dim, self.num_kv_heads * self.head_dim
        self.q_proj = Linear(hidden_size, width, bias=bias)
        self.k_proj = Linear(kv_size, kv_width, bias=key_bias)
        self.v_proj = Linear(kv_size, kv_width, bias=bias)

    def project(self, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (batch, sequence, heads x head_dim) of the input."""
        return self.q_proj(hidden), self.k_proj(hidden), self.v_proj(hidden)

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = self.project(hidden)
        query, key, value = self.split(q, self.q_norm), self.split(k, self.k_norm), self.split(v)
        return (query, key, value) if rotary is None else (rotary(query), rotary(key), value)

    def split(self, x: Tensor, norm: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """(batch, sequence, heads x head_dim) to (batch, heads, sequence, head_dim), normalised."""
        if norm is not None and self.qk_norm_full:
            x = norm(x)
        x = x.unflatten(-1, (-1, self.head_dim))
        if norm is not None and not self.qk_norm_full:
            x = norm(x)
        return x.transpose(1, 2)

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        return self._across(hidden, context) if self.cross else super().inputs(hidden, context, rotary)

    def _across(self, hidden: Tensor, context: AttentionContext) -> tuple[Tensor, Tensor, Tensor, Mask]:
        query = self.split(self.q_proj(hidden), self.q_norm)
        cache = context.cache if self.layer_idx is not None else None
        slot = None if cache is None or self.layer_idx is None else cache.cross_attention(self.layer_idx)
        if slot is not None and slot.key is not None and slot.value is not None:
            return query, slot.key, slot.value, context.cross_mask()
        if context.encoder_states is None:
            raise ValueError("cross-attention needs encoder_hidden_states (or a cache that holds them)")
        key = self.split(self.k_proj(context.encoder_states), self.k_norm)
        value = self.split(self.v_proj(context.encoder_states))
        if slot is not None:
            slot.key, slot.value = key, value
        return query, key, value, context.cross_mask()
