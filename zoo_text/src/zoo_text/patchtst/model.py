"""PatchTST: a Transformer over the patches of each channel of a time series."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.model_output import ModelOutput
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, taken, unrecorded
from zoo_core.nn.stack import run_layers
from zoo_text.patchtst.config import PatchTSTConfig
from zoo_text.series_patches import cut, masked, patch_count, patch_positions, series_norm
from zoo_text.time_series import SampledSeries, draw, projection, require_distribution, rescaled


class PatchTSTModelOutput(BaseModelOutput):
    """States of patches, which were hidden, the scaling of the series, and the patches as cut."""

    mask: Tensor | None = None
    loc: Tensor | None = None
    scale: Tensor | None = None
    patch_input: Tensor | None = None


class PatchTSTForPretrainingOutput(ModelOutput):
    """The patches as the model restores them (batch, channels, patches, patch_length)."""

    loss: Tensor | None = None
    prediction_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class PatchTSTForPredictionOutput(ModelOutput):
    """Forecasts (batch, prediction_length, channels), or the parameters of their distribution."""

    loss: Tensor | None = None
    prediction_outputs: Tensor | tuple[Tensor, ...] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    loc: Tensor | None = None
    scale: Tensor | None = None


class PatchTSTForRegressionOutput(ModelOutput):
    """Targets (batch, num_targets), or the parameters of their distribution."""

    loss: Tensor | None = None
    regression_outputs: Tensor | tuple[Tensor, ...] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class PatchTSTForClassificationOutput(ModelOutput):
    """Scores of the classes (batch, num_targets)."""

    loss: Tensor | None = None
    prediction_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class PatchTSTLayer(nn.Module):
    """Attention among the patches of a channel, then perhaps among channels, then a feed-forward block."""

    hub_names = {
        "self_attn.o_proj": "self_attn.out_proj",
        "mlp.fc1": "ff.0",
        "mlp.fc2": "ff.3",
    }

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        size = config.d_model
        self.self_attn = Attention(
            size, config.num_attention_heads, bias=config.bias, dropout=config.attention_dropout
        )
        self.mlp = MLP(
            size,
            config.ffn_dim,
            config.activation_function,
            bias=config.bias,
            activation_dropout=config.ff_dropout,
        )
        self.norm_sublayer1 = series_norm(config.norm_type, size, eps=config.norm_eps)
        self.norm_sublayer2 = (
            series_norm(config.norm_type, size, eps=config.norm_eps) if config.channel_attention else None
        )
        self.norm_sublayer3 = series_norm(config.norm_type, size, eps=config.norm_eps)
        self.dropout, self.pre_norm = Dropout(config.path_dropout), config.pre_norm

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, channels, patches, size) to the same shape."""
        hidden = self.residual(hidden, self.norm_sublayer1, self.attend)
        if self.norm_sublayer2 is not None:
            with unrecorded():
                across = self.residual(hidden.transpose(1, 2), self.norm_sublayer2, self.attend)
            hidden = across.transpose(1, 2)
        return self.residual(hidden, self.norm_sublayer3, self.mlp)

    def residual(self, hidden: Tensor, norm: nn.Module, branch: Any) -> Tensor:
        if self.pre_norm:
            return hidden + self.dropout(branch(norm(hidden)))
        return norm(hidden + self.dropout(branch(hidden)))

    def attend(self, hidden: Tensor) -> Tensor:
        rows = hidden.flatten(0, 1)
        return self.self_attn(rows, AttentionContext(rows)).view(hidden.shape)


class PatchEmbedder(nn.Module):
    """A linear map of patches, one for all channels or one for each."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.input_embedding: nn.Module
        if config.share_embedding:
            self.input_embedding = nn.Linear(config.patch_length, config.d_model)
        else:
            self.input_embedding = nn.ModuleList(
                nn.Linear(config.patch_length, config.d_model) for _ in range(config.num_input_channels)
            )

    def forward(self, patches: Tensor) -> Tensor:
        return by_channel(self.input_embedding, patches)


def by_channel(layer: nn.Module, x: Tensor) -> Tensor:
    """`layer` of x (batch, channels, ...), or each of a list of layers of its own channel."""
    if not isinstance(layer, nn.ModuleList):
        return layer(x)
    return torch.stack([own(x[:, i]) for i, own in enumerate(layer)], dim=1)


class PatchPositions(nn.Module):
    """Adds the places of patches, and puts a class token before them where the config has one."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        count = patch_count(config) + config.use_cls_token
        self.position_enc = patch_positions(config.positional_encoding_type, count, config.d_model)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 1, config.d_model)) if config.use_cls_token else None
        self.dropout = Dropout(config.positional_dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        if self.cls_token is None:
            return self.dropout(hidden + self.position_enc)
        first = (self.cls_token + self.position_enc[:1]).expand(*hidden.shape[:2], -1, -1)
        return torch.cat((first, self.dropout(hidden + self.position_enc[1:])), dim=2)


class PatchTSTEncoder(nn.Module):
    """Embedded patches and the layers over them."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.embedder = PatchEmbedder(config)
        self.positional_encoder = PatchPositions(config)
        self.layers = nn.ModuleList(PatchTSTLayer(config) for _ in range(config.num_hidden_layers))

    def forward(self, patches: Tensor) -> Tensor:
        hidden = run_layers(self.layers, self.positional_encoder(self.embedder(patches)))
        del taken(HIDDEN_STATES)[-1:]  # the last states are the output
        return hidden


class PatchTSTPreTrainedModel(PreTrainedModel):
    """What all PatchTST classes share."""

    config_class = PatchTSTConfig
    base_model_prefix = "model"
    main_input_name = "past_values"


class PatchTSTModel(PatchTSTPreTrainedModel):
    """The encoder of patches."""

    def __init__(self, config: PatchTSTConfig, *, mask_input: bool | None = None) -> None:
        super().__init__(config)
        self.mask_input = config.do_mask_input if mask_input is None else mask_input
        self.encoder = PatchTSTEncoder(config)
        self.post_init()

    def forward(
        self,
        past_values: Tensor,
        past_observed_mask: Tensor | None = None,
        future_values: Tensor | None = None,
    ) -> PatchTSTModelOutput:
        """Series (batch, context_length, channels) to (batch, channels, patches, d_model).

        `past_observed_mask` is 0 for values that lack; `future_values` are not used.
        """
        observed = torch.ones_like(past_values) if past_observed_mask is None else past_observed_mask
        values, loc, scale = rescaled(past_values, observed, self.config.scaling)
        patches = cut(values, self.config)
        shown, mask = masked(patches, self.config) if self.mask_input else (patches, None)
        return PatchTSTModelOutput(
            last_hidden_state=self.encoder(shown), mask=mask, loc=loc, scale=scale, patch_input=patches
        )


class RestoringHead(nn.Module):
    """States of patches to their values."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.dropout, self.skipped = Dropout(config.head_dropout), int(config.use_cls_token)
        self.linear = nn.Linear(config.d_model, config.patch_length)

    def forward(self, states: Tensor) -> Tensor:
        return self.linear(self.dropout(states))[:, :, self.skipped :]


class PatchTSTForPretraining(PatchTSTPreTrainedModel):
    """PatchTST that restores hidden patches."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__(config)
        self.model = PatchTSTModel(config, mask_input=True)
        self.head = RestoringHead(config)
        self.post_init()

    def forward(
        self, past_values: Tensor, past_observed_mask: Tensor | None = None
    ) -> PatchTSTForPretrainingOutput:
        """Series (batch, context_length, channels); the loss is the squared error of the hidden patches."""
        outputs = self.model(past_values, past_observed_mask)
        restored = self.head(outputs.last_hidden_state)
        error = (restored - outputs.patch_input).square().mean(-1)
        loss = (error * outputs.mask).sum() / (outputs.mask.sum() + 1e-10)
        return PatchTSTForPretrainingOutput.carry(outputs, loss=loss, prediction_output=restored)


def pooled(states: Tensor, config: PatchTSTConfig) -> Tensor:
    """States (batch, channels, patches, size) without their patches, or with all where nothing pools."""
    if config.use_cls_token:
        return states[:, :, 0]
    if config.pooling_type == "mean":
        return states.mean(2)
    return states.amax(2) if config.pooling_type == "max" else states.flatten(2)


class ClassHead(nn.Module):
    """Pooled states of all channels to scores."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.config, self.dropout = config, Dropout(config.head_dropout)
        self.linear = nn.Linear(config.num_input_channels * config.d_model, config.num_targets)

    def forward(self, states: Tensor) -> Tensor:
        return self.linear(self.dropout(pooled(states, self.config).flatten(1)))


class PatchTSTForTargets(PatchTSTPreTrainedModel):
    """PatchTST with a head, over series of which nothing is hidden."""

    head_class: ClassVar[type[nn.Module]]

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__(config)
        self.model = PatchTSTModel(config, mask_input=False)
        self.head = self.head_class(config)
        self.post_init()


class PatchTSTForClassification(PatchTSTForTargets):
    """PatchTST that tells the class of a series."""

    head_class = ClassHead

    def forward(
        self,
        past_values: Tensor,
        target_values: Tensor | None = None,
        past_observed_mask: Tensor | None = None,
    ) -> PatchTSTForClassificationOutput:
        """Series (batch, context_length, channels); `target_values` (batch,) are classes."""
        outputs = self.model(past_values, past_observed_mask)
        logits = self.head(outputs.last_hidden_state)
        loss = None if target_values is None else F.cross_entropy(logits, target_values)
        return PatchTSTForClassificationOutput.carry(outputs, loss=loss, prediction_logits=logits)


class RegressionHead(nn.Module):
    """Pooled states of all channels to targets, kept within `output_range`."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.config, self.dropout = config, Dropout(config.head_dropout)
        self.projection = projection(config, config.num_input_channels * config.d_model, config.num_targets)

    def forward(self, states: Tensor) -> Tensor | tuple[Tensor, ...]:
        found = self.projection(self.dropout(pooled(states, self.config).flatten(1)))
        if self.config.output_range is None or isinstance(found, tuple):
            return found
        low, high = self.config.output_range
        return found.sigmoid() * (high - low) + low


class PatchTSTForRegression(PatchTSTForTargets):
    """PatchTST that tells values which belong to a series."""

    head_class = RegressionHead

    def forward(
        self,
        past_values: Tensor,
        target_values: Tensor | None = None,
        past_observed_mask: Tensor | None = None,
    ) -> PatchTSTForRegressionOutput:
        """Series (batch, context_length, channels); `target_values` (batch, num_targets)."""
        outputs = self.model(past_values, past_observed_mask)
        found = self.head(outputs.last_hidden_state)
        loss = None
        if target_values is not None:
            if isinstance(found, tuple):
                loss = -self.head.projection.distribution(found).log_prob(target_values).mean()
            else:
                loss = F.mse_loss(found, target_values)
        return PatchTSTForRegressionOutput.carry(outputs, loss=loss, regression_outputs=found)

    @torch.no_grad()
    def generate(self, past_values: Tensor, past_observed_mask: Tensor | None = None) -> SampledSeries:
        """Draw `num_parallel_samples` of the targets, (batch, samples, num_targets)."""
        require_distribution(self.config)
        found = self(past_values, past_observed_mask=past_observed_mask).regression_outputs
        samples = draw(self.head.projection.distribution(found), self.config.num_parallel_samples)
        return SampledSeries(sequences=samples.sequences.view(len(past_values), -1, self.config.num_targets))


class ForecastHead(nn.Module):
    """Pooled states of each channel to what follows it, by one map or by one for each channel."""

    def __init__(self, config: PatchTSTConfig) -> None:
        super().__init__()
        self.config, self.dropout = config, Dropout(config.head_dropout)
        pools = config.pooling_type or config.use_cls_token
        inputs = config.d_model * (1 if pools else patch_count(config))
        count = 1 if config.share_projection else config.num_input_channels
        maps = [projection(config, inputs, config.prediction_length) for _ in range(count)]
        self.projections = nn.ModuleList(maps)

    @property
    def hub_names(self) -> dict[str, str]:
        return {"projections.0": "projection"} if self.config.share_projection else {}

    def forward(self, states: Tensor) -> Tensor | tuple[Tensor, ...]:
        x = self.dropout(pooled(states, self.config))
        if self.config.share_projection:
            found = self.projections[0](x)
        else:
            each = [layer(x[:, i]) for i, layer in enumerate(self.projections)]
            tuples = isinstance(each[0], tuple)
            found = (
                tuple(torch.stack(v, 1) for v in zip(*each, strict=True)) if tuples else torch.stack(each, 1)
            )
        if isinstance(found, tuple):
            return tuple(value.transpose(1, 2) for value in found)
        return found.transpose(1, 2)


class PatchTSTForPrediction(PatchTSTForTargets):
    """PatchTST that forecasts."""

    head_class = ForecastHead

    def forward(
        self,
        past_values: Tensor,
        past_observed_mask: Tensor | None = None,
        future_values: Tensor | None = None,
    ) -> PatchTSTForPredictionOutput:
        """Series (batch, context_length, channels); `future_values` (batch, prediction_length, channels)."""
        outputs = self.model(past_values, past_observed_mask)
        found = self.head(outputs.last_hidden_state)
        if not isinstance(found, tuple):
            found = found * outputs.scale + outputs.loc
        loss = None
        if future_values is not None:
            if isinstance(found, tuple):
                loss = -self.distribution(found, outputs.loc, outputs.scale).log_prob(future_values).mean()
            else:
                loss = F.mse_loss(found, future_values)
        return PatchTSTForPredictionOutput.carry(outputs, loss=loss, prediction_outputs=found)

    def distribution(self, parameters: tuple[Tensor, ...], loc: Tensor, scale: Tensor) -> Any:
        """What the series go on with, of the parameters that the model gives."""
        return self.head.projections[0].distribution(parameters, loc, scale)

    @torch.no_grad()
    def generate(self, past_values: Tensor, past_observed_mask: Tensor | None = None) -> SampledSeries:
        """Draw `num_parallel_samples` futures, (batch, samples, prediction_length, channels)."""
        require_distribution(self.config)
        outputs = self(past_values, past_observed_mask=past_observed_mask)
        found = self.distribution(outputs.prediction_outputs, outputs.loc, outputs.scale)
        return draw(found, self.config.num_parallel_samples)
