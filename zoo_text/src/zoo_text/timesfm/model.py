"""TimesFM: a decoder over patches of a time series, each of which says what comes after it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.stack import run_layers
from zoo_text.timesfm.config import TimesFmConfig


class ResidualBlock(nn.Module):
    """A feed-forward block beside a linear map."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.input_layer = nn.Linear(inputs, hidden)
        self.output_layer = nn.Linear(hidden, outputs)
        self.residual_layer = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.output_layer(F.silu(self.input_layer(x))) + self.residual_layer(x)


class QueryScale(nn.Module):
    """A learned factor for each dimension of the queries, 1 / sqrt(width) at first."""

    def __init__(self, head_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(head_dim))

    def forward(self, query: Tensor) -> Tensor:
        return query * F.softplus(self.weight) * (1 / math.log(2) / math.sqrt(query.shape[-1]))


class TimesFmLayer(PreNormLayer):
    """Self-attention and a feed-forward block; padding does not pass the latter."""

    hub_names = {
        "self_attn.q_norm.weight": "self_attn.scaling",
        "post_attention_layernorm": "mlp.layer_norm",
        "mlp.fc1": "mlp.gate_proj",
        "mlp.fc2": "mlp.down_proj",
    }

    def __init__(self, config: TimesFmConfig, layer_idx: int) -> None:
        size = config.hidden_size
        attention = Attention(
            size,
            config.num_attention_heads,
            head_dim=config.head_dim,
            scale=1.0,
            dropout=config.attention_dropout,
            rule=CAUSAL,
            layer_idx=layer_idx,
        )
        attention.q_norm = QueryScale(config.head_dim)
        super().__init__(
            size,
            partial(RMSNorm, eps=config.rms_norm_eps),
            self_attn=attention,
            mlp=MLP(size, config.intermediate_size, "relu"),
        )
        self.post_attention_layernorm = nn.LayerNorm(size, eps=1e-6)

    def forward(self, hidden: Tensor, context: AttentionContext, *, kept: Tensor, **attention: Any) -> Tensor:
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), context, **attention)
        return hidden + self.mlp(self.post_attention_layernorm(hidden)) * kept


class PatchPositions(nn.Module):
    """Sinusoids of the numbers of patches, counted from the first that is not padding."""

    def __init__(self, config: TimesFmConfig) -> None:
        super().__init__()
        count = config.hidden_size // 2
        step = math.log(config.max_timescale / config.min_timescale) / max(count - 1, 1)
        rates = config.min_timescale * torch.exp(torch.arange(count, dtype=torch.float32) * -step)
        self.register_buffer("inv_timescales", rates)

    def forward(self, kept: Tensor) -> Tensor:
        """(batch, patches), 0 for padding, to (batch, patches, hidden)."""
        places = torch.arange(kept.shape[1], device=kept.device)
        places = (places - kept.long().argmax(1, keepdim=True)) % kept.shape[1]
        angles = places[..., None] * self.inv_timescales
        return torch.cat((angles.sin(), angles.cos()), dim=-1)


class TimesFmOutput(BaseModelOutput):
    """States of the patches, and what the series were shifted and divided by (batch,) each."""

    loc: Tensor | None = None
    scale: Tensor | None = None


class TimesFmOutputForPrediction(BaseModelOutput):
    """The forecasts (batch, horizon), and with each its quantiles (batch, horizon, 1 + quantiles)."""

    mean_predictions: Tensor | None = None
    full_predictions: Tensor | None = None
    loss: Tensor | None = None


class TimesFmPreTrainedModel(PreTrainedModel):
    """What all TimesFM classes share."""

    config_class = TimesFmConfig
    base_model_prefix = "timesfm"
    main_input_name = "past_values"


class TimesFmModel(TimesFmPreTrainedModel):
    """The decoder over patches."""

    def __init__(self, config: TimesFmConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.input_ff_layer = ResidualBlock(2 * config.patch_length, config.intermediate_size, size)
        self.freq_emb = nn.Embedding(config.freq_size, size)
        self.layers = nn.ModuleList(TimesFmLayer(config, i) for i in range(config.num_hidden_layers))
        self.position_emb = PatchPositions(config) if config.use_positional_embedding else None
        self.post_init()

    def forward(self, past_values: Tensor, past_values_padding: Tensor, freq: Tensor) -> TimesFmOutput:
        """Series (batch, length), 1 where `past_values_padding` has padding, to states of their patches.

        `freq` (batch, 1) is the kind of each: 0 daily or finer, 1 weekly or monthly, 2 coarser.
        """
        config, tolerance = self.config, self.config.tolerance
        if past_values.shape[1] % config.patch_length:
            raise ValueError(
                f"series of {past_values.shape[1]} values: no multiple of patch_length={config.patch_length}"
            )
        values = past_values.unflatten(1, (-1, config.patch_length))
        padding = past_values_padding.to(values.dtype).unflatten(1, (-1, config.patch_length))
        padding = padding.masked_fill((values - config.pad_val).abs() < tolerance, 1.0)
        loc, scale = first_moments(values, padding)
        divisor = scale.masked_fill(scale < tolerance, 1.0)
        values = (values - loc[:, None, None]) / divisor[:, None, None] * (1 - padding)
        hidden = self.input_ff_layer(torch.cat((values, padding), dim=-1))
        kept = 1 - padding.amin(-1)
        if self.position_emb is not None:
            hidden = hidden + self.position_emb(kept)
        hidden = hidden + self.freq_emb(freq)
        context = AttentionContext(hidden, kept)
        context.blind_queries_average = True
        hidden = run_layers(self.layers, hidden, context, kept=kept[..., None])
        return TimesFmOutput(last_hidden_state=hidden, loc=loc, scale=divisor)


def first_moments(values: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation (batch,) of each row's first patch with three values, or of its last patch.

    Args:
        values, padding: (batch, patches, length), 1 for padding.
    """
    enough = (1 - padding).sum(-1) >= 3
    place = torch.where(enough.any(1), enough.long().argmax(1), values.shape[1] - 1)
    rows = torch.arange(len(values), device=values.device)
    patch, kept = values[rows, place], 1 - padding[rows, place]
    count = kept.sum(-1).clamp_min(1.0)
    mean = (patch * kept).sum(-1) / count
    variance = ((patch - mean[:, None]).square() * kept).sum(-1) / count
    return mean, variance.sqrt()


class TimesFmModelForPrediction(TimesFmPreTrainedModel):
    """TimesFM with the head that forecasts; it reads series of any lengths."""

    def __init__(self, config: TimesFmConfig) -> None:
        super().__init__(config)
        self.decoder = TimesFmModel(config)
        width = config.horizon_length * (1 + len(config.quantiles))
        self.horizon_ff_layer = ResidualBlock(config.hidden_size, config.intermediate_size, width)
        self.post_init()

    def forward(
        self,
        past_values: Sequence[Tensor],
        freq: Sequence[Tensor | int] | Tensor | None = None,
        *,
        window_size: int | None = None,
        future_values: Tensor | None = None,
        forecast_context_len: int | None = None,
        return_forecast_on_context: bool = False,
        truncate_negative: bool = False,
    ) -> TimesFmOutputForPrediction:
        """Series, each (length,), to what follows them.

        Args:
            freq: the kind of each series, see `TimesFmModel`; 0 by default.
            window_size: forecast moving averages over so many values and what they leave apart, then add.
            future_values: (batch, horizon) what did follow; gives the loss.
            forecast_context_len: how many values of each series to read, from its end.
            return_forecast_on_context: also forecasts of the context, from its second patch on.
            truncate_negative: no negative forecasts where no value was negative.
        """
        length = forecast_context_len or self.config.context_length
        series = [torch.as_tensor(x, device=self.device)[-length:] for x in past_values]
        if not series or any(x.dim() != 1 or not len(x) for x in series):
            raise ValueError("past_values must be one or more series, each of shape (length,), none empty")
        kinds = [0] * len(series) if freq is None else [int(kind) for kind in freq]
        if len(kinds) != len(series):
            raise ValueError(f"freq has {len(kinds)} entries for {len(series)} series")
        lowest = min(x.min() for x in series)
        if window_size is not None:
            series = [part for x in series for part in decomposed(x, window_size)]
            kinds = [kind for kind in kinds for _ in range(2)]
        values, padding = padded(series, length, dtype=self.dtype)
        outputs = self.decoder(values, padding, torch.tensor(kinds, device=self.device)[:, None])
        full = self.forecast(outputs, on_context=return_forecast_on_context)
        if window_size is not None:
            full = full[0::2] + full[1::2]
        if truncate_negative and lowest >= 0:
            full = full.clamp_min(0)
        loss = None if future_values is None else self.loss(full, future_values)
        return TimesFmOutputForPrediction.carry(
            outputs, mean_predictions=full[..., 0], full_predictions=full, loss=loss
        )

    def forecast(self, outputs: TimesFmOutput, *, on_context: bool) -> Tensor:
        """(batch, horizon, 1 + quantiles), with the forecasts of all patches but the first before it."""
        config = self.config
        states = self.horizon_ff_layer(outputs.last_hidden_state)
        every = states.unflatten(-1, (config.horizon_length, -1))
        assert outputs.loc is not None and outputs.scale is not None
        every = every * outputs.scale[:, None, None, None] + outputs.loc[:, None, None, None]
        last = every[:, -1]
        if not on_context:
            return last
        return torch.cat((every[:, :-1, : config.patch_length].flatten(1, 2), last), dim=1)

    def loss(self, full: Tensor, future: Tensor) -> Tensor:
        """Squared error of the mean, and the pinball loss averaged over the quantiles."""
        error = future[..., None] - full[..., 1:]
        level = error.new_tensor(self.config.quantiles)
        return F.mse_loss(full[..., 0], future) + torch.maximum((level - 1) * error, level * error).mean()


def decomposed(series: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """The moving average over `window` values, with zeros before the first, and the rest."""
    smooth = F.pad(series, (window - 1, 0)).unfold(0, window, 1).mean(-1)
    return smooth, series - smooth


def padded(series: Sequence[Tensor], length: int, *, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Series as rows (batch, length) with zeros before them, and 1 where those are."""
    values = torch.stack([F.pad(x.to(dtype), (length - len(x), 0)) for x in series])
    before = torch.tensor([length - len(x) for x in series], device=values.device)
    padding = torch.arange(length, device=values.device) < before[:, None]
    return values, padding.to(dtype)
