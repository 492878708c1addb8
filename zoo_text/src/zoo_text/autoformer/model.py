"""Autoformer: series split into trend and season, and attention to like periods instead of like states.

https://arxiv.org/abs/2106.13008
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.modeling.model_output import ModelOutput
from zoo_core.modeling.outputs import BaseModelOutputWithPastAndCrossAttentions
from zoo_core.modeling.seq2seq import as_output
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PostNormLayer, has_source
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.stack import run_layers
from zoo_text.autoformer.config import AutoformerConfig
from zoo_text.bart.model import seq2seq_layer
from zoo_text.time_series import SampledSeries, draw
from zoo_text.time_series_transformer.model import (
    Seq2SeqTSModelOutput,
    TimeSeriesTransformerForPrediction,
    TimeSeriesTransformerModel,
    TimeSeriesTransformerPreTrainedModel,
    TimeSeriesTransformerStack,
)


class AutoFormerDecoderOutput(BaseModelOutputWithPastAndCrossAttentions):
    """The season in `last_hidden_state`, and the trend, (batch, time, feature_size) both."""

    trend: Tensor | None = None


class AutoformerModelOutput(Seq2SeqTSModelOutput):
    """As of the Time Series Transformer, with the trend (batch, time, feature_size)."""

    trend: Tensor | None = None


def decomposed(series: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """(batch, time, channels) as season and trend, a moving average over an odd `window`."""
    reach = (window - 1) // 2
    padded = F.pad(series.transpose(1, 2), (reach, reach), mode="replicate")
    trend = F.avg_pool1d(padded, window, stride=1).transpose(1, 2)
    return series - trend, trend


class AutoCorrelation(Attention):
    """Values rolled by the delays at which queries and keys are most alike, weighted by how alike.

    What is recorded as attention is the correlation (batch, heads, delays, head_dim). Padding hides nothing.
    """

    def __init__(self, *sizes: int, factor: int, **options: Any) -> None:
        super().__init__(*sizes, **options)
        self.factor = factor

    def weigh(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Mask,
        *,
        head_mask: Tensor | None = None,
        **_: Any,
    ) -> tuple[Tensor, Tensor | None]:
        batch, heads, length, _ = query.shape
        missing = length - key.shape[2]
        if missing > 0:  # as published checkpoints were trained: of longer queries only the beginning counts
            query = query[:, :, :missing]
        key, value = F.pad(key, (0, 0, 0, missing)), F.pad(value, (0, 0, 0, missing))
        spectra = (torch.fft.rfft(x.float(), n=length, dim=2) for x in (query, key))
        of_query, of_key = spectra
        correlation = torch.fft.irfft(of_query * of_key.conj(), n=length, dim=2)
        if head_mask is not None:
            correlation = correlation * head_mask
        alike = correlation.mean((1, 3))  # (batch, delays)
        count = int(self.factor * math.log(length))
        if self.training:
            delays = alike.mean(0).topk(count).indices.expand(batch, -1)
        else:
            delays = alike.topk(count, dim=-1).indices
        weights = alike.gather(1, delays).softmax(-1).to(value.dtype)
        # as they were trained: heads take the delays of the series of the batch in turn, not of their own
        weights, delays = (x.repeat(heads, 1).unflatten(0, (batch, heads)) for x in (weights, delays))
        times = torch.arange(length, device=value.device)
        attended = torch.zeros_like(value)
        for weight, delay in zip(weights.unbind(-1), delays.unbind(-1), strict=True):
            index = (times + delay[..., None]) % length
            rolled = value.gather(2, index[..., None].expand_as(value))
            attended = attended + weight[..., None, None] * rolled
        return attended, correlation


class SeasonalNorm(nn.LayerNorm):
    """A layer norm less its mean over time: what has no trend."""

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return x - x.mean(1, keepdim=True)


class AutoformerLayer(PostNormLayer):
    """Every part leaves the season; the decoder's layers add up the trends in `context.shared`."""

    hub_names = {**BART_LAYER, "final_layer_norm": "final_layer_norm.layernorm"}

    def __init__(self, size: int, norm: NormFactory, *, window: int, features: int, **parts: Any) -> None:
        super().__init__(size, norm, **parts)
        self.window = window
        self.final_layer_norm = SeasonalNorm(size)
        if self.cross_attn is not None:
            self.trend_projection = nn.Conv1d(
                size, features, 3, padding=1, padding_mode="circular", bias=False
            )

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = hidden + self.dropout(self.self_attn(hidden, context, **attention))
        if self.cross_attn is None:
            hidden, _ = decomposed(self.self_attn_layer_norm(hidden), self.window)
            hidden, _ = decomposed(hidden + self.dropout(self.mlp(hidden)), self.window)
            return self.final_layer_norm(hidden)
        hidden, trend = decomposed(hidden, self.window)
        hidden = self.self_attn_layer_norm(hidden)
        if has_source(context):
            hidden, further = decomposed(hidden + self.dropout(self.cross_attn(hidden, context)), self.window)
            hidden, trend = self.cross_attn_layer_norm(hidden), trend + further
        hidden, further = decomposed(hidden + self.dropout(self.mlp(hidden)), self.window)
        projected = self.trend_projection((trend + further).transpose(1, 2)).transpose(1, 2)
        context.shared["trend"] = context.shared["trend"] + projected
        return self.final_layer_norm(hidden)


class AutoformerPreTrainedModel(TimeSeriesTransformerPreTrainedModel):
    """What all classes of the Autoformer share."""

    config_class = AutoformerConfig


class AutoformerStack(TimeSeriesTransformerStack, AutoformerPreTrainedModel):
    """The encoder, or with `decoder` the decoder, which gives season and trend."""

    def make_inputs(self, config: AutoformerConfig) -> None:
        super().make_inputs(config)
        if self.is_decoder:
            self.seasonality_projection = nn.Linear(config.d_model, config.feature_size)

    def make_layer(self, config: AutoformerConfig, layer_idx: int) -> nn.Module:
        return seq2seq_layer(
            partial(AutoformerLayer, window=config.moving_average, features=config.feature_size),
            config,
            layer_idx,
            decoder=self.is_decoder,
            attention_class=partial(AutoCorrelation, factor=config.autocorrelation_factor),
        )

    def first_position(self) -> int:
        return self.config.context_length - self.config.label_length

    def forward(self, *, trend: Tensor | None = None, **inputs: Any) -> ModelOutput:
        """As the Time Series Transformer's; the decoder also takes the `trend` to go on from."""
        if not self.is_decoder:
            return super().forward(**inputs)
        return self.decode(trend, **inputs)

    def decode(
        self,
        trend: Tensor,
        *,
        inputs_embeds: Tensor,
        encoder_hidden_states: Tensor,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
    ) -> AutoFormerDecoderOutput:
        """Season and trend (batch, label_length + prediction_length, feature_size)."""
        cache = self.cache_for(past_key_values, use_cache)
        hidden = self.embed(None, inputs_embeds, None, 0)
        context = AttentionContext(hidden, cache=cache, encoder_states=encoder_hidden_states)
        context.cross_head_mask = cross_attn_head_mask
        context.shared["trend"] = trend
        norm = self.seasonality_projection
        season = run_layers(self.layers, hidden, context, norm=norm, head_mask=head_mask)
        return AutoFormerDecoderOutput(
            last_hidden_state=season, trend=context.shared["trend"], past_key_values=cache
        )


class AutoformerModel(TimeSeriesTransformerModel, AutoformerPreTrainedModel):
    """Encoder of what was, and decoder of what is to come."""

    stack_class = AutoformerStack

    def forward(
        self,
        past_values: Tensor,
        past_time_features: Tensor,
        past_observed_mask: Tensor | None = None,
        static_categorical_features: Tensor | None = None,
        static_real_features: Tensor | None = None,
        future_values: Tensor | None = None,
        future_time_features: Tensor | None = None,
        *,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        head_mask: Tensor | None = None,
        decoder_head_mask: Tensor | None = None,
        **decoder: Any,
    ) -> AutoformerModelOutput:
        """As the Time Series Transformer's; without `future_values` the encoder alone runs.

        The decoder reads the end of the context's season, and nothing of the future but its times.
        """
        series = self.read(
            past_values,
            past_time_features,
            past_observed_mask,
            static_categorical_features,
            static_real_features,
            future_values,
            future_time_features,
        )
        context, label = self.config.context_length, self.config.label_length
        known, beside = series.values[:, :context], series.beside
        if encoder_outputs is None:
            encoder_outputs = self.encoder(
                inputs_embeds=torch.cat((known, beside[:, :context]), -1), head_mask=head_mask
            )
        encoded = as_output(encoder_outputs)
        decoded = AutoFormerDecoderOutput()
        if future_values is not None:
            season, trend = decomposed(known, self.config.moving_average)
            mean = known.mean(1, keepdim=True).expand(-1, self.config.prediction_length, -1)
            season = torch.cat((season[:, context - label :], torch.zeros_like(mean)), 1)
            trend = torch.cat((trend[:, context - label :], mean), 1)
            beside = beside[:, context - label :]
            decoded = self.decoder(
                trend=torch.cat((trend, beside), -1),
                inputs_embeds=torch.cat((season, beside), -1),
                encoder_hidden_states=encoded.last_hidden_state,
                head_mask=decoder_head_mask,
                **decoder,
            )
        return AutoformerModelOutput.carry(
            AutoformerModelOutput.join(encoded, decoded),
            trend=decoded.trend,
            loc=series.loc,
            scale=series.scale,
            static_features=series.static,
        )


class AutoformerForPrediction(TimeSeriesTransformerForPrediction, AutoformerPreTrainedModel):
    """The Autoformer with a distribution of each next value."""

    base_class = AutoformerModel

    def states_size(self, config: AutoformerConfig) -> int:
        return config.feature_size

    def states(self, outputs: AutoformerModelOutput) -> Tensor:
        return (outputs.last_hidden_state + outputs.trend)[:, -self.config.prediction_length :]

    @torch.no_grad()
    def generate(
        self,
        past_values: Tensor,
        past_time_features: Tensor,
        future_time_features: Tensor,
        past_observed_mask: Tensor | None = None,
        static_categorical_features: Tensor | None = None,
        static_real_features: Tensor | None = None,
    ) -> SampledSeries:
        """Draw `num_parallel_samples` futures, (batch, samples, prediction_length, ...), all at once."""
        unknown = torch.zeros_like(past_values[:, : self.config.prediction_length])  # is not read
        outputs = self.model(
            past_values,
            past_time_features,
            past_observed_mask,
            static_categorical_features,
            static_real_features,
            unknown,
            future_time_features,
            use_cache=False,
        )
        params = self.parameters_of(self.states(outputs))
        found = self.parameter_projection.distribution(params, outputs.loc, outputs.scale)
        return draw(found, self.config.num_parallel_samples)
