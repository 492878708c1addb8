"""W2v-BERT 2.0: filterbanks through a causal Conformer."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.blocks.spec_augment import hide_spans
from zoo_audio.seamless_m4t import conformer
from zoo_audio.seamless_m4t_v2.conformer import ClampedKeyAttention
from zoo_audio.wav2vec2_bert.config import Wav2Vec2BertConfig
from zoo_core.heads.audio import (
    ForAudioClassification,
    ForAudioFrameClassification,
    ForCTC,
    ForXVector,
    OfFeatures,
)
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import Wav2Vec2BaseModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers

_KINDS: dict[str | None, type[conformer.ConformerAttention]] = {
    "relative": conformer.RelativeAttention,
    "relative_key": ClampedKeyAttention,
    "rotary": conformer.RotaryAttention,
    None: conformer.ConformerAttention,
}


class Wav2Vec2BertPreTrainedModel(PreTrainedModel):
    """What all W2v-BERT classes share."""

    config_class = Wav2Vec2BertConfig
    base_model_prefix = "wav2vec2_bert"
    main_input_name = "input_features"


class Adapter(conformer.Adapter):
    """Layers that shorten, at the width of a decoder."""

    def __init__(self, config: Wav2Vec2BertConfig) -> None:
        wide = copy.copy(config)
        wide.hidden_size = config.output_hidden_size
        super().__init__(wide)
        self.kernel, self.stride = config.adapter_kernel_size, config.adapter_stride
        self.proj: nn.Module | None = None
        self.proj_layer_norm: nn.Module | None = None
        if config.output_hidden_size != config.hidden_size:
            self.proj = nn.Linear(config.hidden_size, config.output_hidden_size)
            self.proj_layer_norm = nn.LayerNorm(config.output_hidden_size, eps=config.layer_norm_eps)

    def shortened(self, lengths: Tensor) -> Tensor:
        """Frames after one layer of so many before it."""
        return (lengths + 2 * (self.kernel // 2) - self.kernel) // self.stride + 1

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(batch, frames, size), of which those in `mask` count, to fewer frames."""
        if self.proj is not None and self.proj_layer_norm is not None:
            hidden = self.proj_layer_norm(self.proj(hidden))
        lengths = None if mask is None else mask.sum(-1)
        for layer in self.layers:
            kept = None
            if lengths is not None:
                lengths = self.shortened(lengths)
                kept = torch.arange(hidden.shape[1], device=hidden.device) < lengths[:, None]
            hidden = layer(hidden, kept)
        return hidden


class Wav2Vec2BertModel(conformer.RotaryFrames, Wav2Vec2BertPreTrainedModel):
    """W2v-BERT without a head."""

    hub_names = {"layers": "encoder.layers"}
    files_hold_frequencies = False

    def __init__(self, config: Wav2Vec2BertConfig) -> None:
        super().__init__(config)
        self.feature_projection = conformer.FeatureProjection(config)
        self.masked_spec_embed: nn.Parameter | None = None
        if config.mask_time_prob > 0.0 or config.mask_feature_prob > 0.0:
            self.masked_spec_embed = nn.Parameter(torch.rand(config.hidden_size))
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.layers = nn.ModuleList(self.make_layer(config) for _ in range(config.num_hidden_layers))
        self.intermediate_ffn: nn.Module | None = None
        if config.use_intermediate_ffn_before_adapter:
            self.intermediate_ffn = conformer.FeedForward(config, "relu", config.hidden_dropout)
        self.adapter = Adapter(config) if config.add_adapter else None
        self.make_rotary(config)
        self.post_init()

    def make_layer(self, config: Any) -> nn.Module:
        """A layer of the Conformer."""
        attention = _KINDS[config.position_embeddings_type](config)
        return conformer.ConformerLayer(config, attention, causal=True)

    def frame_mask(self, frames: int, attention_mask: Tensor) -> Tensor:
        """Bool (batch, frames): those that hold no padding, from the mask of the input's frames."""
        lengths = attention_mask.sum(-1)
        if self.adapter is not None:
            for _ in self.adapter.layers:
                lengths = self.adapter.shortened(lengths)
        return torch.arange(frames, device=lengths.device) < lengths[:, None]

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} takes filterbanks, not tokens")

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        mask_time_indices: Tensor | None = None,
    ) -> Wav2Vec2BaseModelOutput:
        """Filterbanks (batch, frames, bands) to states (batch, frames, hidden).

        Args:
            attention_mask: (batch, frames), 0 for padding. mask_time_indices: frames to hide.
        """
        if input_features is None:
            raise ValueError("pass input_features (batch, frames, bands)")
        features = self.feature_projection.layer_norm(input_features.to(self.dtype))
        hidden = self.feature_projection.dropout(self.feature_projection.projection(features))
        mask = None if attention_mask is None else attention_mask.bool()
        hidden = hide_spans(
            hidden, self.config, fill=self.masked_spec_embed, training=self.training,
            given=mask_time_indices, mask=mask,
        )  # fmt: skip
        if mask is not None:
            hidden = hidden.masked_fill(~mask[..., None], 0.0)
        context, rotary = AttentionContext(hidden, mask), self.rotary(hidden)
        hidden = run_layers(self.layers, self.dropout(hidden), context, mask=mask, rotary=rotary)
        if self.intermediate_ffn is not None:
            hidden = hidden + 0.5 * self.intermediate_ffn(hidden)
        if self.adapter is not None:
            hidden = self.adapter(hidden, mask)
        return Wav2Vec2BaseModelOutput(last_hidden_state=hidden, extract_features=features)


class Wav2Vec2BertForCTC(OfFeatures, ForCTC, Wav2Vec2BertPreTrainedModel):
    """W2v-BERT that transcribes."""

    base_class = Wav2Vec2BertModel


class Wav2Vec2BertForSequenceClassification(OfFeatures, ForAudioClassification, Wav2Vec2BertPreTrainedModel):
    """W2v-BERT with a classifier of the whole sound."""

    base_class = Wav2Vec2BertModel


class Wav2Vec2BertForAudioFrameClassification(
    OfFeatures, ForAudioFrameClassification, Wav2Vec2BertPreTrainedModel
):
    """W2v-BERT with a classifier of every frame."""

    base_class = Wav2Vec2BertModel


class Wav2Vec2BertForXVector(OfFeatures, ForXVector, Wav2Vec2BertPreTrainedModel):
    """W2v-BERT with a vector for the speaker."""

    base_class = Wav2Vec2BertModel
