"""PatchTSMixer: feed-forward blocks that mix the patches, features and channels of time series."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.model_output import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, taken
from zoo_core.nn.stack import run_layers
from zoo_text.patchtsmixer.config import PatchTSMixerConfig
from zoo_text.series_patches import cut, masked, patch_count, patch_positions, series_norm
from zoo_text.time_series import SampledSeries, draw, projection, require_distribution, rescaled


class PatchTSMixerModelOutput(ModelOutput):
    """States (batch, channels, patches, d_model), the patches as cut, which were hidden, and the scaling."""

    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    patch_input: Tensor | None = None
    mask: Tensor | None = None
    loc: Tensor | None = None
    scale: Tensor | None = None


class PatchTSMixerForPreTrainingOutput(ModelOutput):
    """The patches as the model restores them (batch, channels, patches, patch_length)."""

    loss: Tensor | None = None
    prediction_outputs: Tensor | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class PatchTSMixerForPredictionOutput(ModelOutput):
    """Forecasts (batch, prediction_length, channels), or the parameters of their distribution."""

    loss: Tensor | None = None
    prediction_outputs: Tensor | tuple[Tensor, ...] | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    loc: Tensor | None = None
    scale: Tensor | None = None


class PatchTSMixerForRegressionOutput(ModelOutput):
    """Targets (batch, num_targets), or the parameters of their distribution."""

    loss: Tensor | None = None
    regression_outputs: Tensor | tuple[Tensor, ...] | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class PatchTSMixerForTimeSeriesClassificationOutput(PatchTSMixerForPreTrainingOutput):
    """Scores of the classes (batch, num_targets)."""


class MixerNorm(nn.Module):
    """The norm that the config names."""

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__()
        self.norm = series_norm(config.norm_mlp, config.d_model, eps=config.norm_eps)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.norm(hidden)


class Gate(nn.Module):
    """Weighs the features by a softmax over them."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.attn_layer = nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.attn_layer(x).softmax(-1)


class Mixer(nn.Module):
    """x + gate(mlp(norm(x))), where the block mixes `size` values along one dimension.

    Args:
        dim: the dimension of (batch, channels, patches, d_model) that is mixed.
    """

    def __init__(self, config: PatchTSMixerConfig, size: int, *, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim
        self.norm = MixerNorm(config)
        self.mlp = MLP(
            size,
            size * config.expansion_factor,
            "gelu",
            activation_dropout=config.dropout,
            dropout=config.dropout,
        )
        self.gating_block = Gate(size) if config.gated_attn else nn.Identity()

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.mix(self.norm(hidden))

    def mix(self, x: Tensor) -> Tensor:
        return self.gating_block(self.mlp(x.transpose(self.dim, -1))).transpose(self.dim, -1)


class ChannelMixer(Mixer):
    """The mixer of channels, which gates before it mixes."""

    def mix(self, x: Tensor) -> Tensor:
        return self.mlp(self.gating_block(x.transpose(self.dim, -1))).transpose(self.dim, -1)


class PatchMixer(Mixer):
    """The mixer of patches, perhaps with attention among those of a channel."""

    hub_names = {"self_attn_layer.o_proj": "self_attn_layer.out_proj"}

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__(config, patch_count(config), dim=-2)
        self.self_attn_layer = None
        if config.self_attn:
            self.self_attn_layer = Attention(config.d_model, config.self_attn_heads, dropout=config.dropout)
            self.norm_attn = MixerNorm(config)

    def mix(self, x: Tensor) -> Tensor:
        mixed = super().mix(x)
        if self.self_attn_layer is None:
            return mixed
        rows = x.flatten(0, 1)
        return self.norm_attn(mixed + self.self_attn_layer(rows, AttentionContext(rows)).view(x.shape))


class PatchTSMixerLayer(nn.Module):
    """Mixes channels where the config says so, then patches, then features."""

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__()
        self.channel_feature_mixer = (
            ChannelMixer(config, config.num_input_channels, dim=1)
            if config.mode == "mix_channel"
            else nn.Identity()
        )
        self.patch_mixer = PatchMixer(config)
        self.feature_mixer = Mixer(config, config.d_model)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.feature_mixer(self.patch_mixer(self.channel_feature_mixer(hidden)))


class MixerPositions(nn.Module):
    """Adds the places of patches."""

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__()
        kind = config.positional_encoding_type
        self.position_enc = patch_positions(kind, patch_count(config), config.d_model)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.position_enc


class PatchTSMixerEncoder(nn.Module):
    """Embedded patches and the layers over them."""

    hub_names = {"mixers": "mlp_mixer_encoder.mixers"}

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__()
        self.patcher = nn.Linear(config.patch_length, config.d_model)
        self.positional_encoder = MixerPositions(config) if config.use_positional_encoding else nn.Identity()
        self.mixers = nn.ModuleList(PatchTSMixerLayer(config) for _ in range(config.num_layers))

    def forward(self, patches: Tensor) -> Tensor:
        hidden = self.positional_encoder(self.patcher(patches))
        hidden = run_layers(self.mixers, hidden, record_after=True)
        del taken(HIDDEN_STATES)[-1:]  # the last states were recorded after their layer
        return hidden


class PatchTSMixerPreTrainedModel(PreTrainedModel):
    """What all PatchTSMixer classes share."""

    config_class = PatchTSMixerConfig
    base_model_prefix = "model"
    main_input_name = "past_values"


class PatchTSMixerModel(PatchTSMixerPreTrainedModel):
    """The encoder of patches."""

    def __init__(self, config: PatchTSMixerConfig, mask_input: bool = False) -> None:
        super().__init__(config)
        self.mask_input = mask_input
        self.encoder = PatchTSMixerEncoder(config)
        self.post_init()

    def forward(self, past_values: Tensor, observed_mask: Tensor | None = None) -> PatchTSMixerModelOutput:
        """Series (batch, context_length, channels), 0 in `observed_mask` for values that lack, to states."""
        observed = torch.ones_like(past_values) if observed_mask is None else observed_mask
        values, loc, scale = rescaled(past_values, observed, self.config.scaling)
        patches = cut(values, self.config)
        shown, mask = masked(patches, self.config) if self.mask_input else (patches, None)
        return PatchTSMixerModelOutput(
            last_hidden_state=self.encoder(shown), patch_input=patches, mask=mask, loc=loc, scale=scale
        )


class RestoringHead(nn.Module):
    """States of patches to their values."""

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__()
        self.dropout = Dropout(config.head_dropout)
        self.base_pt_block = nn.Linear(config.d_model, config.patch_length)

    def forward(self, states: Tensor) -> Tensor:
        return self.base_pt_block(self.dropout(states))


class PatchTSMixerForPretraining(PatchTSMixerPreTrainedModel):
    """PatchTSMixer that restores hidden patches."""

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__(config)
        self.model = PatchTSMixerModel(config, mask_input=True)
        self.head = RestoringHead(config)
        self.post_init()

    def forward(
        self, past_values: Tensor, observed_mask: Tensor | None = None, return_loss: bool = True
    ) -> PatchTSMixerForPreTrainingOutput:
        """Series (batch, context_length, channels); `config.masked_loss` counts hidden patches alone."""
        outputs = self.model(past_values, observed_mask)
        restored = self.head(outputs.last_hidden_state)
        loss = None
        if return_loss:
            error = (restored - outputs.patch_input).square().mean(-1)
            mask = outputs.mask
            loss = (error * mask).sum() / (mask.sum() + 1e-10) if self.config.masked_loss else error.mean()
        return PatchTSMixerForPreTrainingOutput.carry(outputs, loss=loss, prediction_outputs=restored)


class ForecastHead(nn.Module):
    """All patches of a channel to what follows it."""

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__()
        self.channels = config.prediction_channel_indices
        self.dropout = Dropout(config.head_dropout)
        inputs = patch_count(config) * config.d_model
        self.base_forecast_block = projection(config, inputs, config.prediction_length)

    def forward(self, states: Tensor) -> Tensor | tuple[Tensor, ...]:
        found = self.base_forecast_block(self.dropout(states.flatten(-2)))
        if isinstance(found, tuple):
            return tuple(self.chosen(value.transpose(1, 2)) for value in found)
        return self.chosen(found.transpose(1, 2))

    def chosen(self, values: Tensor) -> Tensor:
        """(batch, time, channels), of the channels that are forecast, in ascending order."""
        return values if self.channels is None else values[..., sorted(self.channels)]


class PatchTSMixerForPrediction(PatchTSMixerPreTrainedModel):
    """PatchTSMixer that forecasts."""

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__(config)
        self.model = PatchTSMixerModel(config)
        self.head = ForecastHead(config)
        self.post_init()

    def forward(
        self,
        past_values: Tensor,
        observed_mask: Tensor | None = None,
        future_values: Tensor | None = None,
        return_loss: bool = True,
    ) -> PatchTSMixerForPredictionOutput:
        """Series (batch, context_length, channels); `future_values` (batch, prediction_length, channels)."""
        outputs = self.model(past_values, observed_mask)
        found, chosen = self.head(outputs.last_hidden_state), self.head.chosen
        loc, scale = chosen(outputs.loc), chosen(outputs.scale)
        if not isinstance(found, tuple):
            found = found * scale + loc
        loss = None
        if future_values is not None and return_loss:
            wanted = chosen(future_values)
            if isinstance(found, tuple):
                loss = -self.head.base_forecast_block.distribution(found, loc, scale).log_prob(wanted).mean()
            else:
                loss = F.mse_loss(found, wanted)
        return PatchTSMixerForPredictionOutput.carry(
            outputs, loss=loss, prediction_outputs=found, loc=loc, scale=scale
        )

    @torch.no_grad()
    def generate(self, past_values: Tensor, observed_mask: Tensor | None = None) -> SampledSeries:
        """Draw `num_parallel_samples` futures, (batch, samples, prediction_length, channels)."""
        require_distribution(self.config)
        outputs = self(past_values, observed_mask=observed_mask)
        found = self.head.base_forecast_block.distribution(
            outputs.prediction_outputs, outputs.loc, outputs.scale
        )
        return draw(found, self.config.num_parallel_samples)


class ScaleInjection(nn.Module):
    """Tells the states what the series were shifted and divided by."""

    def __init__(self, size: int, expansion: int = 2) -> None:
        super().__init__()
        self.inverse_trans_expansion = nn.Linear(size + 2, expansion * size)
        self.inverse_trans_compression = nn.Linear(expansion * size, size)
        self.map_scale_expansion = nn.Linear(2, 2 * expansion)
        self.map_scale_compression = nn.Linear(2 * expansion, 2)

    def forward(self, states: Tensor, loc: Tensor, scale: Tensor) -> Tensor:
        """States (batch, channels, patches, size), `loc` and `scale` (batch, 1, channels)."""
        moments = torch.cat((loc, scale), dim=1).transpose(1, 2)
        moments = self.map_scale_compression(self.map_scale_expansion(moments))
        moments = moments[:, :, None].expand(-1, -1, states.shape[2], -1)
        joined = torch.cat((states, moments), dim=-1)
        return self.inverse_trans_compression(self.inverse_trans_expansion(joined))


class SeriesHead(nn.Module):
    """Pooled states of all channels to `num_targets` values."""

    def __init__(self, config: PatchTSMixerConfig, *, classes: bool = False) -> None:
        super().__init__()
        self.pooling, self.dropout = config.head_aggregation, Dropout(config.head_dropout)
        self.output_range = config.output_range
        inputs = config.d_model * config.num_input_channels
        inputs *= patch_count(config) if self.pooling is None else 1
        self.projection = (
            nn.Linear(inputs, config.num_targets)
            if classes
            else projection(config, inputs, config.num_targets)
        )

    def forward(self, states: Tensor) -> Tensor | tuple[Tensor, ...]:
        found = self.projection(self.dropout(self.pooled(states).flatten(1)))
        if self.output_range is None or isinstance(found, tuple):
            return found
        low, high = self.output_range
        return found.sigmoid() * (high - low) + low

    def pooled(self, states: Tensor) -> Tensor:
        if self.pooling is None:
            return states.transpose(-1, -2)
        if self.pooling == "use_last":
            return states[:, :, -1]
        return states.amax(2) if self.pooling == "max_pool" else states.mean(2)


class SeriesModel(PatchTSMixerPreTrainedModel):
    """The encoder, told the scaling, below a head that sees a series as a whole."""

    classes = False

    def __init__(self, config: PatchTSMixerConfig) -> None:
        super().__init__(config)
        self.model = PatchTSMixerModel(config)
        self.inject_scale = (
            ScaleInjection(config.d_model) if config.scaling in ("std", "mean", True) else None
        )
        self.head = SeriesHead(config, classes=self.classes)
        self.post_init()

    def encode(self, past_values: Tensor) -> PatchTSMixerModelOutput:
        outputs = self.model(past_values)
        if self.inject_scale is not None:
            outputs.last_hidden_state = self.inject_scale(
                outputs.last_hidden_state, outputs.loc, outputs.scale
            )
        return outputs


class PatchTSMixerForTimeSeriesClassification(SeriesModel):
    """PatchTSMixer that tells the class of a series."""

    classes = True

    def forward(
        self, past_values: Tensor, target_values: Tensor | None = None, return_loss: bool = True
    ) -> PatchTSMixerForTimeSeriesClassificationOutput:
        """Series (batch, context_length, channels); `target_values` (batch,) are classes."""
        outputs = self.encode(past_values)
        logits = self.head(outputs.last_hidden_state)
        wanted = target_values if return_loss else None
        loss = None if wanted is None else F.cross_entropy(logits, wanted)
        return PatchTSMixerForTimeSeriesClassificationOutput.carry(
            outputs, loss=loss, prediction_outputs=logits
        )


class PatchTSMixerForRegression(SeriesModel):
    """PatchTSMixer that tells values which belong to a series."""

    def forward(
        self, past_values: Tensor, target_values: Tensor | None = None, return_loss: bool = True
    ) -> PatchTSMixerForRegressionOutput:
        """Series (batch, context_length, channels); `target_values` (batch, num_targets)."""
        outputs = self.encode(past_values)
        found = self.head(outputs.last_hidden_state)
        loss = None
        if target_values is not None and return_loss:
            if isinstance(found, tuple):
                loss = -self.head.projection.distribution(found).log_prob(target_values).mean()
            else:
                loss = F.mse_loss(found, target_values)
        return PatchTSMixerForRegressionOutput.carry(outputs, loss=loss, regression_outputs=found)

    @torch.no_grad()
    def generate(self, past_values: Tensor) -> SampledSeries:
        """Draw `num_parallel_samples` of the targets, (batch, samples, num_targets)."""
        require_distribution(self.config)
        found = self.head.projection.distribution(self(past_values).regression_outputs)
        return draw(found, self.config.num_parallel_samples)
