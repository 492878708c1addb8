"""The Time Series Transformer: BART's layers over lagged values, with a distribution for each next value."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.model_output import ModelOutput
from zoo_core.modeling.outputs import Seq2SeqModelOutput
from zoo_core.modeling.seq2seq import Seq2SeqModel, Seq2SeqStack
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.sinusoid import SinusoidalTable
from zoo_text.bart.model import seq2seq_layer
from zoo_text.time_series import DistributionProjection, SampledSeries, rescaled
from zoo_text.time_series_transformer.config import TimeSeriesTransformerConfig


class Seq2SeqTSModelOutput(Seq2SeqModelOutput):
    """States, the scaling of the series, and what is known of each (batch, features)."""

    loc: Tensor | None = None
    scale: Tensor | None = None
    static_features: Tensor | None = None


class Seq2SeqTSPredictionOutput(ModelOutput):
    """The parameters of the distribution of each next value (batch, prediction_length, ...)."""

    loss: Tensor | None = None
    params: tuple[Tensor, ...] | None = None
    past_key_values: Cache | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None
    loc: Tensor | None = None
    scale: Tensor | None = None
    static_features: Tensor | None = None


class TimeSeriesTransformerPreTrainedModel(PreTrainedModel):
    """What all classes of the Time Series Transformer share."""

    config_class = TimeSeriesTransformerConfig
    base_model_prefix = "model"
    main_input_name = "past_values"


class TimeSeriesTransformerStack(Seq2SeqStack, TimeSeriesTransformerPreTrainedModel):
    """The encoder or the decoder; it reads vectors of `feature_size`."""

    hub_names = {"embed_tokens": "value_embedding.value_projection"}

    def make_embeddings(self, config: TimeSeriesTransformerConfig) -> nn.Module:
        return nn.Linear(config.feature_size, config.d_model, bias=False)

    def make_positions(self, config: TimeSeriesTransformerConfig) -> nn.Module:
        return SinusoidalTable(config.context_length + config.prediction_length, config.d_model)

    def make_layer(self, config: TimeSeriesTransformerConfig, layer_idx: int) -> nn.Module:
        layer = seq2seq_layer(PostNormLayer, config, layer_idx, decoder=self.is_decoder)
        layer.hub_names = BART_LAYER
        return layer

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        """The decoder's places follow the encoder's."""
        if inputs_embeds is None:
            raise ValueError("pass inputs_embeds (batch, time, feature_size); series have no input_ids")
        start = past + self.first_position() if self.is_decoder else past
        return super().embed(None, self.embed_tokens(inputs_embeds), position_ids, start)

    def first_position(self) -> int:
        """Where the decoder begins."""
        return self.config.context_length


class CategoryEmbedder(nn.Module):
    """A table for each static category."""

    def __init__(self, cardinalities: list[int], sizes: list[int]) -> None:
        super().__init__()
        self.embedders = nn.ModuleList(map(nn.Embedding, cardinalities, sizes))

    def forward(self, categories: Tensor) -> Tensor:
        """(batch, categories) to (batch, sum of the sizes)."""
        return torch.cat([table(categories[..., i]) for i, table in enumerate(self.embedders)], dim=-1)


def lagged(series: Tensor, lags: list[int], length: int, *, shift: int = 0) -> Tensor:
    """What lay `lags` before each of the last `length` times, (batch, length, channels * lags).

    Args:
        series: (batch, time) or (batch, time, channels). shift: how much nearer the lags are.

    Raises:
        ValueError: the series does not reach so far back.
    """
    steps = [lag - shift for lag in lags]
    if series.shape[1] < max(steps) + length:
        raise ValueError(
            f"series of {series.shape[1]} values: lags of up to {max(lags)} need {max(steps) + length}"
        )
    ends = [series.shape[1] - step for step in steps]
    return torch.stack([series[:, end - length : end] for end in ends], dim=-1).flatten(2)


class Series(NamedTuple):
    """Scaled series as a model reads them.

    values: (batch, time, channels * lags). beside: (batch, time, features), what else is known of each time.
    static: (batch, features). loc, scale: (batch, 1, ...), what undoes the scaling.
    """

    values: Tensor
    beside: Tensor
    static: Tensor
    loc: Tensor
    scale: Tensor


class TimeSeriesTransformerModel(Seq2SeqModel, TimeSeriesTransformerPreTrainedModel):
    """Encoder of what was, and decoder of what is to come."""

    stack_class: ClassVar[type[Seq2SeqStack]] = TimeSeriesTransformerStack

    def __init__(self, config: TimeSeriesTransformerConfig) -> None:
        super().__init__(config)
        if config.num_static_categorical_features:
            self.embedder = CategoryEmbedder(config.cardinality, config.embedding_dimension)
        self.encoder = self.stack_class(config)
        self.decoder = self.stack_class(config, decoder=True)
        self.post_init()

    def static(self, loc: Tensor, scale: Tensor, categories: Tensor | None, reals: Tensor | None) -> Tensor:
        """All that holds for a whole series, (batch, features)."""
        parts = [loc.abs().log1p().flatten(1), scale.log().flatten(1)]
        if reals is not None:
            parts.insert(0, reals)
        if categories is not None:
            parts.insert(0, self.embedder(categories))
        return torch.cat(parts, dim=1)

    def forward(
        self,
        past_values: Tensor,
        past_time_features: Tensor,
        past_observed_mask: Tensor | None = None,
        static_categorical_features: Tensor | None = None,
        static_real_features: Tensor | None = None,
        future_values: Tensor | None = None,
        future_time_features: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqTSModelOutput:
        """Series to the decoder's states (batch, prediction_length, d_model).

        Args:
            past_values: (batch, context_length + longest lag), with a last dimension `input_size` if not 1.
            past_observed_mask: of the same shape, 0 for values that lack.
            past_time_features, future_time_features: (batch, time, features) of each time.
            future_values: (batch, prediction_length, ...) what follows; else the decoder reads one zero.
            static_categorical_features, static_real_features: (batch, features) of each series.
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
        features, context = torch.cat(series[:2], dim=-1), self.config.context_length
        future = torch.zeros_like(features[:, :1]) if future_values is None else features[:, context:]
        outputs = super().forward(inputs_embeds=features[:, :context], decoder_inputs_embeds=future, **inputs)
        return Seq2SeqTSModelOutput.carry(
            outputs, loc=series.loc, scale=series.scale, static_features=series.static
        )

    def read(
        self,
        values: Tensor,
        times: Tensor,
        observed: Tensor | None,
        categories: Tensor | None,
        reals: Tensor | None,
        future_values: Tensor | None,
        future_times: Tensor | None,
    ) -> Series:
        """The inputs of `forward`, scaled, from the beginning of the context on."""
        context = self.config.context_length
        observed = torch.ones_like(values) if observed is None else observed
        _, loc, scale = rescaled(values[:, -context:], observed[:, -context:], self.config.scaling)
        times = times[:, -context:]
        if future_values is not None:
            if future_times is None:
                raise ValueError("future_values need future_time_features")
            values = torch.cat((values, future_values), dim=1)
            times = torch.cat((times, future_times), dim=1)
        static = self.static(loc, scale, categories, reals)
        seen = lagged((values - loc) / scale, self.config.lags_sequence, times.shape[1])
        return Series(seen, with_times(static, times), static, loc, scale)


def with_times(static: Tensor, times: Tensor) -> Tensor:
    """(batch, features) beside (batch, time, features)."""
    return torch.cat((static[:, None].expand(-1, times.shape[1], -1), times), dim=-1)


class TimeSeriesTransformerForPrediction(TimeSeriesTransformerPreTrainedModel):
    """The Time Series Transformer with a distribution of each next value."""

    base_class: ClassVar[type[TimeSeriesTransformerModel]] = TimeSeriesTransformerModel
    #: whether the decoder's states do not change as the series goes on
    cached: ClassVar[bool] = True

    def __init__(self, config: TimeSeriesTransformerConfig) -> None:
        super().__init__(config)
        self.model = self.base_class(config)
        self.parameter_projection = DistributionProjection(
            config.distribution_output, self.states_size(config), config.input_size
        )
        self.post_init()

    def get_encoder(self) -> nn.Module:
        return self.model.get_encoder()

    def get_decoder(self) -> nn.Module:
        return self.model.get_decoder()

    def states_size(self, config: TimeSeriesTransformerConfig) -> int:
        """Width of what `states` gives."""
        return config.d_model

    def states(self, outputs: Seq2SeqTSModelOutput) -> Tensor:
        """What the distributions are made of, (batch, prediction_length, width)."""
        return outputs.last_hidden_state

    def parameters_of(self, states: Tensor) -> tuple[Tensor, ...]:
        """Parameters of the distributions, without a last dimension where there is one channel."""
        found = self.parameter_projection(states)
        return tuple(value.squeeze(-1) for value in found) if self.config.input_size == 1 else found

    def forward(
        self,
        past_values: Tensor,
        past_time_features: Tensor,
        past_observed_mask: Tensor | None = None,
        static_categorical_features: Tensor | None = None,
        static_real_features: Tensor | None = None,
        future_values: Tensor | None = None,
        future_time_features: Tensor | None = None,
        future_observed_mask: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqTSPredictionOutput:
        """As the base model; values that `future_observed_mask` says lack do not count in the loss."""
        outputs = self.model(
            past_values,
            past_time_features,
            past_observed_mask,
            static_categorical_features,
            static_real_features,
            future_values,
            future_time_features,
            **inputs,
        )
        if future_values is None:
            return Seq2SeqTSPredictionOutput.carry(outputs)
        params = self.parameters_of(self.states(outputs))
        distribution = self.parameter_projection.distribution(params, outputs.loc, outputs.scale)
        loss = -distribution.log_prob(future_values)
        weight = torch.ones_like(loss)
        if future_observed_mask is not None:
            weight = future_observed_mask.to(loss.dtype)
            weight = weight.amin(-1) if weight.dim() > loss.dim() else weight
        loss = torch.where(weight != 0, loss * weight, 0.0).sum() / weight.sum().clamp_min(1.0)
        return Seq2SeqTSPredictionOutput.carry(outputs, loss=loss, params=params)

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
        """Draw `num_parallel_samples` futures, (batch, samples, prediction_length, ...), value by value."""
        count, lags = self.config.num_parallel_samples, self.config.lags_sequence
        known = self.model(
            past_values,
            past_time_features,
            past_observed_mask,
            static_categorical_features,
            static_real_features,
            use_cache=False,
        )
        loc, scale = known.loc.repeat_interleave(count, 0), known.scale.repeat_interleave(count, 0)
        source = known.encoder_last_hidden_state.repeat_interleave(count, 0)
        beside = with_times(known.static_features, future_time_features).repeat_interleave(count, 0)
        series = (past_values.repeat_interleave(count, 0) - loc) / scale
        cache = Cache() if self.cached else None
        for step in range(self.config.prediction_length):
            start = step if self.cached else 0
            values = lagged(series, lags, step + 1 - start, shift=1)
            states = self.model.decoder(
                inputs_embeds=torch.cat((values, beside[:, start : step + 1]), dim=-1),
                encoder_hidden_states=source,
                past_key_values=cache,
                use_cache=self.cached,
            ).last_hidden_state[:, -1:]
            drawn = self.parameter_projection.distribution(self.parameters_of(states), loc, scale).sample()
            series = torch.cat((series, (drawn - loc) / scale), dim=1)
        future = (series * scale + loc)[:, -self.config.prediction_length :]
        return SampledSeries(sequences=future.unflatten(0, (-1, count)))
