"""Informer: a Time Series Transformer in which few queries attend, and whose encoder halves the series.

https://arxiv.org/abs/2012.07436
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.norm import NormFactory
from zoo_text.bart.model import seq2seq_layer
from zoo_text.informer.config import InformerConfig
from zoo_text.time_series_transformer.model import (
    TimeSeriesTransformerForPrediction,
    TimeSeriesTransformerModel,
    TimeSeriesTransformerPreTrainedModel,
    TimeSeriesTransformerStack,
)


class ProbSparseAttention(Attention):
    """Self-attention of the queries whose scores are the most uneven, judged by a sample of the keys.

    The others take the mean of all values, or where attention is causal the sum of those so far. About
    factor * log(length) queries attend. Recorded weights are theirs, in no order.
    """

    def __init__(self, *sizes: int, factor: int, **options: Any) -> None:
        super().__init__(*sizes, **options)
        self.factor = factor

    def weigh(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Mask, **options: Any
    ) -> tuple[Tensor, Tensor | None]:
        if self.cross:
            return super().weigh(query, key, value, mask, **options)
        queries, keys = query.shape[2], key.shape[2]
        sampled = min(self.factor * queries * math.ceil(math.log1p(keys)), keys)
        scores = query @ key[:, :, torch.randint(0, keys, (sampled,))].transpose(2, 3) * self.scale
        unevenness = scores.amax(-1) - scores.sum(-1) / keys
        active = min(self.factor * math.ceil(math.log1p(queries)), queries)
        chosen = unevenness.topk(active, sorted=False).indices
        at = chosen[..., None].expand(-1, -1, -1, query.shape[3])
        rows = mask_rows(mask, chosen, queries, keys)
        attended, weights = super().weigh(query.gather(2, at), key, value, rows, **options)
        if self.rule.causal:
            rest = value.cumsum(2)[:, :, -queries:]
        else:
            rest = value.mean(2, keepdim=True).expand(-1, -1, queries, -1)
        return rest.scatter(2, at, attended), weights


def mask_rows(mask: Mask, chosen: Tensor, queries: int, keys: int) -> Mask:
    """The mask of the `chosen` queries (batch, heads, count) alone."""

    def rows(table: Tensor | None) -> Tensor | None:
        if table is None:
            return None
        full = table.expand(*chosen.shape[:2], queries, keys)
        return full.gather(2, chosen[..., None].expand(-1, -1, -1, keys))

    allowed = mask.allowed
    if mask.causal:
        allowed = torch.ones(queries, keys, dtype=torch.bool, device=chosen.device).tril(keys - queries)
    return Mask(allowed=rows(allowed), bias=rows(mask.bias))


class DistillingConv(nn.Module):
    """A convolution and a maximum over neighbours: half as many states."""

    hub_names = {"conv": "downConv"}

    def __init__(self, size: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(size, size, 3, padding=1, padding_mode="circular")
        self.norm = nn.BatchNorm1d(size)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, size) to (batch, time / 2 rounded up, size)."""
        x = nn.functional.elu(self.norm(self.conv(x.transpose(1, 2))))
        return nn.functional.max_pool1d(x, 3, stride=2, padding=1).transpose(1, 2)


class InformerLayer(PostNormLayer):
    """A layer of BART's, and in the encoder what shortens the series after it."""

    hub_names = BART_LAYER
    distil: DistillingConv | None

    def __init__(self, size: int, norm: NormFactory, **parts: Any) -> None:
        super().__init__(size, norm, **parts)
        self.distil = None

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = super().forward(hidden, context, **attention)
        return hidden if self.distil is None else self.distil(hidden)


class InformerPreTrainedModel(TimeSeriesTransformerPreTrainedModel):
    """What all classes of the Informer share."""

    config_class = InformerConfig


class InformerStack(TimeSeriesTransformerStack, InformerPreTrainedModel):
    """The encoder or the decoder."""

    hub_names = {**TimeSeriesTransformerStack.hub_names, "layers.*.distil": "conv_layers.*"}

    def make_layer(self, config: InformerConfig, layer_idx: int) -> nn.Module:
        sparse = partial(ProbSparseAttention, factor=config.sampling_factor)
        kind = sparse if config.attention_type == "prob" else Attention
        layer = seq2seq_layer(InformerLayer, config, layer_idx, decoder=self.is_decoder, attention_class=kind)
        if config.distil and not self.is_decoder and layer_idx < config.encoder_layers - 1:
            layer.distil = DistillingConv(config.d_model)
        return layer


class InformerModel(TimeSeriesTransformerModel, InformerPreTrainedModel):
    """Encoder of what was, and decoder of what is to come."""

    stack_class = InformerStack


class InformerForPrediction(TimeSeriesTransformerForPrediction, InformerPreTrainedModel):
    """The Informer with a distribution of each next value."""

    base_class = InformerModel
    cached = False  # which queries attend depends on all of them
