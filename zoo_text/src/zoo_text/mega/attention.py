"""Mega's attention: one head, gated, on inputs that a moving average has mixed.

See https://arxiv.org/abs/2209.10655, sections 3.2 to 3.4.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.activation import activation
from zoo_core.nn.attention import AttentionCore
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext, Mask, MaskRule
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, record, wants
from zoo_text.mega.average import MovingAverage
from zoo_text.mega.config import MegaConfig


class ScaleNorm(nn.Module):
    """Root mean square normalisation with one factor for all features."""

    def __init__(self, eps: float, affine: bool) -> None:
        super().__init__()
        self.eps = eps
        self.scalar = nn.Parameter(torch.ones(1)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        y = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps)
        return y if self.scalar is None else y * self.scalar


class FeatureScale(nn.Module):
    """A factor for each feature: in all releases "rmsnorm" does no more."""

    def __init__(self, size: int, affine: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        return x if self.weight is None else x * self.weight


class FeatureNorm(nn.BatchNorm1d):
    """Each feature (batch, sequence, feature) by its mean and variance over tokens."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def make_norm(config: MegaConfig, eps: float = 1e-5) -> nn.Module:
    """The norm that the config names."""
    kind, affine, size = config.normalization_type, config.norm_affine, config.hidden_size
    if kind == "scalenorm":
        return ScaleNorm(eps, affine)
    if kind == "layernorm":
        return nn.LayerNorm(size, eps=eps, elementwise_affine=affine)
    if kind == "rmsnorm":
        return FeatureScale(size, affine)
    return FeatureNorm(size, eps=eps, affine=affine)


class MegaDropout(nn.Dropout):
    """Dropout of single values, or of whole features."""

    def __init__(self, p: float, config: MegaConfig) -> None:
        super().__init__(p)
        self.whole = config.use_feature_dropout

    def forward(self, x: Tensor) -> Tensor:
        if not self.whole:
            return super().forward(x)
        return F.dropout1d(x.transpose(1, 2), self.p, self.training).transpose(1, 2)


class SimpleBias(nn.Module):
    """One number for each distance."""

    def __init__(self, config: MegaConfig) -> None:
        super().__init__()
        # a chunk bounds distances, and moves their middle, also where use_chunking is off
        self.most = config.max_positions if config.chunk_size < 0 else config.chunk_size
        self.rel_pos_bias = nn.Parameter(torch.empty(2 * config.max_positions - 1))
        self.std = config.initializer_range
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.rel_pos_bias, std=self.std)

    def forward(self, distances: Tensor) -> Tensor:
        """Any shape of distances from query to key, to the same shape."""
        return self.rel_pos_bias[(distances + self.most - 1).clamp(0, 2 * self.most - 2)]

    def check(self, span: int) -> None:
        """Refuse tokens that are too far apart."""
        if span > self.most:
            raise ValueError(
                f"attention spans {span} positions, but this model has biases for {self.most} "
                "(max_positions, or chunk_size); shorten the input (truncation=True, max_length=...)"
            )


class RotaryBias(nn.Module):
    """The product of two learned vectors, one turned by the query's position, one by the key's."""

    def __init__(self, config: MegaConfig) -> None:
        super().__init__()
        size = config.shared_representation_size
        self.alpha = nn.Parameter(torch.empty(1, size))
        self.b_param = nn.Parameter(torch.empty(1, size))
        self.register_buffer("_float_tensor", torch.zeros(1))  # checkpoints carry it
        self.std = config.initializer_range
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.alpha, std=self.std)
        nn.init.normal_(self.b_param, std=self.std)
        nn.init.zeros_(self.get_buffer("_float_tensor"))

    def forward(self, distances: Tensor) -> Tensor:
        """Any shape of distances from query to key, to the same shape."""
        (a1, a2), (b1, b2) = self.alpha.float()[0].chunk(2), self.b_param.float()[0].chunk(2)
        frequencies = torch.exp(torch.arange(len(a1), device=a1.device) * (-math.log(10000) / len(a1)))
        angles = distances[..., None] * frequencies
        return angles.cos() @ (a1 * b1 + a2 * b2) + angles.sin() @ (a2 * b1 - a1 * b2)

    def check(self, span: int) -> None:
        """Any distance will do."""


BIASES = {"rotary": RotaryBias, "simple": SimpleBias}


class SingleHead(AttentionCore):
    """Attention of one head, or of one for each chunk, with a bias for each distance."""

    def __init__(self, config: MegaConfig, layer_idx: int) -> None:
        super().__init__()
        self.layer_idx = layer_idx
        self.scale = config.shared_representation_size**-0.5
        self.dropout = config.attention_probs_dropout_prob
        name = config.attention_activation
        self.pointwise = None if name == "softmax" else activation(name)
        self.rel_pos_bias = BIASES[config.relative_positional_bias](config)
        self.act = activation(config.activation)
        self.norm = make_norm(config)
        self.pre_norm = config.normalize_before_mega
        self.hidden_dropout = MegaDropout(config.hidden_dropout_prob, config)

    def bias(self, queries: Tensor, keys: Tensor, span: int) -> Tensor:
        """(Q, K) for positions of both, of which those that see each other lie within `span`."""
        self.rel_pos_bias.check(span)
        return self.rel_pos_bias(keys - queries[:, None])

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
        if self.pointwise is None:
            if mask.allowed is not None:
                mask = Mask(self.lifted(mask.allowed))
            return super().weigh(query, key, value, mask, name=name, bias=bias, head_mask=head_mask)
        allowed = mask.allowed
        if mask.causal:
            allowed = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=key.device).tril()
        scores = query @ key.transpose(2, 3) / self.seen(query.shape[2], key.shape[2], allowed)
        weights = self.pointwise(scores if bias is None else scores + bias)
        if allowed is not None:
            weights = weights * allowed
        return F.dropout(weights, self.dropout, self.training) @ value, weights if wants(name) else None

    def lifted(self, allowed: Tensor) -> Tensor:
        """A mask (..., Q, K) that hides all from nobody: softmax reads what is padding alone as it is."""
        return allowed | ~allowed.any(-1, keepdim=True) if self.pointwise is None else allowed

    def seen(self, queries: int, keys: int, allowed: Tensor | None) -> Tensor | int:
        """How many keys a query sees, (..., Q, 1); a causal one all since the first that it sees."""
        if allowed is None:
            return keys
        if not self.rule.causal:
            return allowed.sum(-1, keepdim=True).clamp(min=1)
        positions = torch.arange(keys - queries, keys, device=allowed.device)
        return positions[:, None] - allowed.to(torch.uint8).argmax(-1, keepdim=True) + 1

    def gate(self, residual: Tensor, update: Tensor, candidate: Tensor) -> Tensor:
        """The residual where the gate (before its sigmoid) is closed, the activated candidate where open."""
        changed = self.hidden_dropout(self.act(candidate))
        hidden = torch.lerp(residual, changed, update.sigmoid())
        return hidden if self.pre_norm else self.norm(hidden)


class GatedAttention(SingleHead):
    """Self-attention; queries and keys are one shared projection, scaled and shifted apart (section 3.2)."""

    def __init__(self, config: MegaConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        size, width, inner = config.hidden_size, config.shared_representation_size, config.intermediate_size
        self.sizes = [size, width, inner, size]
        self.rule = MaskRule(causal=config.is_decoder, chunk=config.chunk)
        self.ema = MovingAverage(config, layer_idx)
        self.value_dropout = MegaDropout(config.dropout_prob, config)
        self.v_proj = Linear(size, inner)
        self.mx_proj = Linear(size, sum(self.sizes))
        self.h_proj = Linear(inner, size)
        self.qk_weight = nn.Parameter(torch.empty(2, width))
        self.qk_bias = nn.Parameter(torch.zeros(2, width))

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:  # type: ignore[override]
        """(batch, query, hidden) to the same shape."""
        normed = self.norm(hidden) if self.pre_norm else hidden
        value = self.value_dropout(self.act(self.v_proj(normed)))
        mixed = self.value_dropout(self.ema(normed, context))
        update, shared, reset, candidate = self.mx_proj(mixed).split(self.sizes, dim=-1)
        query, key = (self.act(shared)[..., None, :] * self.qk_weight + self.qk_bias).unbind(-2)
        attended = self.within_chunks if self.folds(context) else self.over_all
        read = attended(query, key, value, context) * self.act(reset)
        return self.gate(hidden, update, candidate + self.h_proj(read))

    def folds(self, context: AttentionContext) -> bool:
        """Whether chunks can be told apart without a mask: padding or what is cached may shift them."""
        chunk, past = self.rule.chunk, context.past_length
        if chunk is None or context.query_length <= chunk or not isinstance(past, int) or past:
            return False
        return context.padding is None or not self.rule.causal or bool(context.padding[..., 0].all())

    def over_all(self, query: Tensor, key: Tensor, value: Tensor, context: AttentionContext) -> Tensor:
        """What queries (batch, Q, width) take from these and the cached values, (batch, Q, inner)."""
        all_keys, all_values, mask = self.remember(key[:, None], value[:, None], context)
        keys = torch.arange(all_keys.shape[2], device=key.device)
        span = min(len(keys), self.rule.chunk or len(keys))
        bias = self.bias(context.positions, keys, span).to(query.dtype)
        return self.attend(query[:, None], all_keys, all_values, mask, bias=bias)[:, 0]

    def within_chunks(self, query: Tensor, key: Tensor, value: Tensor, context: AttentionContext) -> Tensor:
        """The same where no token sees another chunk than its own; the last may be short."""
        length, chunk = context.query_length, self.rule.chunk
        assert chunk is not None and self.layer_idx is not None
        if context.cache is not None:
            context.cache.attention(self.layer_idx).update(key[:, None], value[:, None])
        short = -length % chunk
        inside = torch.arange(chunk, device=query.device)
        real = (
            inside.new_ones(1, 1, 1, length, dtype=torch.bool) if context.padding is None else context.padding
        )
        allowed = F.pad(real[:, 0, 0], (0, short)).unflatten(1, (-1, chunk))[:, :, None]
        if self.rule.causal:
            allowed = self.lifted(allowed) & (inside <= inside[:, None])
        query, key, value = (
            F.pad(x, (0, 0, 0, short)).unflatten(1, (-1, chunk)) for x in (query, key, value)
        )
        bias = self.bias(inside, inside, chunk).to(query.dtype)
        return self.attend(query, key, value, Mask(allowed), bias=bias).flatten(1, 2)[:, :length]


class GatedCrossAttention(SingleHead):
    """Attention to an encoder's states, gated by the query alone."""

    cross = True

    def __init__(self, config: MegaConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        size, width = config.hidden_size, config.shared_representation_size
        self.sizes = [size, size, width]
        self.value_dropout = MegaDropout(config.dropout_prob, config)
        self.k_proj, self.v_proj = Linear(size, width), Linear(size, size)
        self.q_proj, self.h_proj = Linear(size, sum(self.sizes)), Linear(size, size)

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:  # type: ignore[override]
        """(batch, query, hidden) to the same shape."""
        normed = self.norm(hidden) if self.pre_norm else hidden
        update, reset, query = self.q_proj(normed).split(self.sizes, dim=-1)
        key, value = self.source(context)
        keys = torch.arange(key.shape[1], device=key.device)
        bias = self.bias(context.positions, keys, max(context.past_length + context.query_length, len(keys)))
        query, key, value = (x[:, None] for x in (query, key, value))
        attended, weights = self.weigh(
            query, key, value, context.cross_mask(), name=CROSS_ATTENTIONS, bias=bias.to(query.dtype)
        )
        record(CROSS_ATTENTIONS, None if weights is None else weights[:, 0])
        return self.gate(hidden, update, self.h_proj(attended[:, 0] * self.act(reset)))

    def source(self, context: AttentionContext) -> tuple[Tensor, Tensor]:
        """Keys and values (batch, source, width) of the encoder's states, computed once a generation."""
        assert self.layer_idx is not None
        slot = None if context.cache is None else context.cache.cross_attention(self.layer_idx)
        if slot is not None and slot.key is not None and slot.value is not None:
            return slot.key, slot.value
        if context.encoder_states is None:
            raise ValueError("cross-attention needs encoder_hidden_states (or a cache that holds them)")
        key = self.k_proj(context.encoder_states)
        value = self.value_dropout(self.act(self.v_proj(context.encoder_states)))
        if slot is not None:
            slot.key, slot.value = key, value
        return key, value
