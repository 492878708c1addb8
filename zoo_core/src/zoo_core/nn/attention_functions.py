"""The attention implementations behind one table.

Each takes query (batch, heads, Q, width), key and value (batch, kv heads, K, width), where heads is a
multiple of kv heads, and returns the attended values (batch, heads, Q, value width) and the weights
(batch, heads, Q, K), or None where the implementation never forms them. A query whose keys are all
hidden gets zeros from every implementation.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_core.errors import MissingDependency
from zoo_core.nn.activation import softcap
from zoo_core.nn.masks import Mask


class Scoring(NamedTuple):
    """How scores are formed from query and key.

    scale: factor of the dot product. softcap: scores are squashed to (-softcap, softcap) (Gemma 2).
    dropout: probability, in training. sinks: (heads,) logits that take part in the softmax and are then
    dropped (https://arxiv.org/abs/2309.17453). bias: added to the scaled scores, broadcastable to
    (batch, heads, Q, K). head_mask: factor of the weights, broadcastable likewise.
    """

    scale: float
    softcap: float | None = None
    dropout: float = 0.0
    sinks: Tensor | None = None
    bias: Tensor | None = None
    head_mask: Tensor | None = None


AttentionFunction = Callable[[Tensor, Tensor, Tensor, Mask, Scoring], tuple[Tensor, Tensor | None]]


def attention_weights(
    query: Tensor, key: Tensor, mask: Mask, scoring: Scoring
) -> tuple[Tensor, Tensor | None]:
    """The weights (batch, heads, Q, K), and which keys a query may see; None where it sees all."""
    batch, heads, queries, width = query.shape
    groups, keys = key.shape[1], key.shape[2]
    grouped = query.reshape(batch, groups, heads // groups * queries, width)
    scores = torch.matmul(grouped, key.transpose(2, 3)).view(batch, heads, queries, keys) * scoring.scale
    scores = softcap(scores, scoring.softcap)
    for bias in (scoring.bias, mask.bias):
        if bias is not None:
            scores = scores + bias
    allowed = mask.allowed
    if mask.causal:
        allowed = torch.ones(queries, keys, dtype=torch.bool, device=query.device).tril(keys - queries)
    if allowed is not None:
        scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
    if scoring.sinks is not None:
        sinks = scoring.sinks.to(scores.dtype).view(1, -1, 1, 1).expand(batch, -1, queries, 1)
        scores = torch.cat((scores, sinks), dim=-1)
    weights = F.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)[..., :keys]
    if scoring.dropout:
        weights = F.dropout(weights, scoring.dropout)
    if scoring.head_mask is not None:
        weights = weights * scoring.head_mask
    return weights, allowed


def attended_values(weights: Tensor, value: Tensor, allowed: Tensor | None) -> Tensor:
    """Sums (batch, heads, Q, width) of the values; zeros for a query that may see nothing."""
    batch, heads, queries, keys = weights.shape
    attended = torch.matmul(weights.view(batch, value.shape[1], -1, keys), value)
    attended = attended.view(batch, heads, queries, value.shape[-1])
    return attended if allowed is None else attended.masked_fill(~allowed.any(-1, keepdim=True), 0.0)


def eager(
    query: Tensor, key: Tensor, value: Tensor, mask: Mask, scoring: Scoring
) -> tuple[Tensor, Tensor | None]:
    """The definition, step by step; the only one that returns weights."""
    weights, allowed = attention_weights(query, key, mask, scoring)
    return attended_values(weights, value, allowed), weights


def sdpa(
    query: Tensor, key: Tensor, value: Tensor, mask: Mask, scoring: Scoring
) -> tuple[Tensor, Tensor | None]:
    """torch's fused kernel; soft caps, sinks and head masks, which it lacks, are computed by `eager`."""
    if scoring.softcap is not None or scoring.sinks is not None or scoring.head_mask is not None:
        return eager(query, key, value, mask, scoring)[0], None
    attended = F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=_float_or_bool(mask, scoring, query),
        dropout_p=scoring.dropout,
        is_causal=mask.causal and scoring.bias is None,
        scale=scoring.scale,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return attended, None


def _float_or_bool(mask: Mask, scoring: Scoring, query: Tensor) -> Tensor | None:
    """The one mask tensor that the kernel takes: bool where nothing is added, else float."""
    biases = [b for b in (scoring.bias, mask.bias) if b is not None]
    if not biases:
        return mask.allowed
    bias = sum(biases[1:], start=biases[0]).to(query.dtype)
    allowed = mask.allowed
    if mask.causal:
        size = bias.shape[-1]
        allowed = torch.ones(size, size, dtype=torch.bool, device=query.device).tril()
    return bias if allowed is None else bias.masked_fill(~allowed, -math.inf)


def flash_attention_2(
    query: Tensor, key: Tensor, value: Tensor, mask: Mask, scoring: Scoring
) -> tuple[Tensor, Tensor | None]:
    """The flash-attn package's kernel; masks it cannot express are computed by `sdpa`."""
    if (
        mask.allowed is not None
        or mask.bias is not None
        or scoring.bias is not None
        or scoring.sinks is not None
    ):
        return sdpa(query, key, value, mask, scoring)
    from flash_attn import flash_attn_func

    attended = flash_attn_func(
        query.transpose(1, 2),
        key.transpose(1, 2),
        value.transpose(1, 2),
        dropout_p=scoring.dropout,
        softmax_scale=scoring.scale,
        causal=mask.causal,
        softcap=scoring.softcap or 0.0,
    )
    return attended.transpose(1, 2), None


def flex_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Mask, scoring: Scoring
) -> tuple[Tensor, Tensor | None]:
    """torch's flex_attention: caps and biases become a score function, masks stay tensors."""
    needs_backward = query.requires_grad or key.requires_grad or value.requires_grad
    if scoring.sinks is not None or scoring.head_mask is not None or scoring.dropout:
        return sdpa(query, key, value, mask, scoring)
    if needs_backward and query.device.type == "cpu":  # the kernel has no backward pass there
        return sdpa(query, key, value, mask, scoring)
    from torch.nn.attention.flex_attention import flex_attention as kernel

    shape = (query.shape[0], query.shape[1], query.shape[2], key.shape[2])
    biases = [b.expand(shape) for b in (scoring.bias, mask.bias) if b is not None]
    allowed = None if mask.allowed is None else mask.allowed.expand(shape)
    offset = key.shape[2] - query.shape[2]

    def score(s: Tensor, b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
        s = softcap(s, scoring.softcap)
        for bias in biases:
            s = s + bias[b, h, q, k]
        if mask.causal:
            s = torch.where(k <= q + offset, s, -math.inf)
        if allowed is not None:
            s = torch.where(allowed[b, h, q, k], s, -math.inf)
        return s

    gqa = query.shape[1] != key.shape[1]
    attended = kernel(query, key, value, score_mod=score, scale=scoring.scale, enable_gqa=gqa)
    if allowed is not None:
        attended = attended.masked_fill(~allowed.any(-1, keepdim=True), 0.0)
    return attended, None


ATTENTION_FUNCTIONS: dict[str, AttentionFunction] = {
    "eager": eager,
    "sdpa": sdpa,
    "flash_attention_2": flash_attention_2,
    "flex_attention": flex_attention,
}


def check_implementation(name: str) -> str:
    """`name`, if it is an implementation that can run here.

    Raises:
        ValueError: there is no such implementation.
        MissingDependency: it needs a package that is not installed.
    """
    if name not in ATTENTION_FUNCTIONS:
        raise ValueError(
            f"unknown attn_implementation {name!r}; choose from {', '.join(ATTENTION_FUNCTIONS)}"
        )
    if name == "flash_attention_2" and importlib.util.find_spec("flash_attn") is None:
        raise MissingDependency(
            "attn_implementation='flash_attention_2' needs the package flash-attn: pip install flash-attn "
            "(a CUDA device is required); attn_implementation='sdpa' works without it"
        )
    return name
