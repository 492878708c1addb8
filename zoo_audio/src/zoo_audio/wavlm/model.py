"""WavLM: wav2vec 2.0's encoder with relative positions that the content gates."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.wav2vec2.model import SpeechEncoderModel, speech_layer
from zoo_audio.wavlm.config import WavLMConfig
from zoo_core.heads.audio import ForAudioClassification, ForAudioFrameClassification, ForCTC, ForXVector
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.attention_functions import Scoring, eager
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.recording import ATTENTIONS, record, wants
from zoo_core.nn.relative_bias import RelativeBias


class WavLMPreTrainedModel(PreTrainedModel):
    """What all WavLM classes share."""

    config_class = WavLMConfig
    base_model_prefix = "wavlm"
    main_input_name = "input_values"


class GatedRelativeAttention(Attention):
    """Biases of distances, which the first layer makes for all, gated by each query (section 3.1)."""

    def __init__(self, config: WavLMConfig, *, first: bool) -> None:
        heads = config.num_attention_heads
        super().__init__(config.hidden_size, heads, dropout=config.attention_dropout)
        self.gru_rel_pos_const = nn.Parameter(torch.ones(1, heads, 1, 1))
        self.gru_rel_pos_linear = nn.Linear(self.head_dim, 8)
        self.rel_attn_embed: RelativeBias | None = None
        if first:
            self.rel_attn_embed = RelativeBias(
                heads,
                buckets=config.num_buckets,
                max_distance=config.max_bucket_distance,
                bidirectional=True,
            )

    def forward(self, hidden: Tensor, context: AttentionContext, **options: Any) -> Tensor:
        if self.rel_attn_embed is not None:
            places = torch.arange(hidden.shape[1], device=hidden.device)
            context.shared["distances"] = self.rel_attn_embed(places, places)
        gates = self.gru_rel_pos_linear(self.split(hidden)).unflatten(-1, (2, 4)).sum(-1).sigmoid()
        update, reset = gates.chunk(2, dim=-1)  # (batch, heads, frames, 1)
        gate = update * (reset * self.gru_rel_pos_const - 1.0) + 2.0
        return super().forward(hidden, context, bias=gate * context.shared["distances"], **options)

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
        """As the plain one; what is collected are the weights averaged over the heads."""
        if not wants(ATTENTIONS):
            return super().attend(query, key, value, mask, bias=bias, head_mask=head_mask)
        scoring = Scoring(scale=self.scale, bias=bias, head_mask=head_mask)
        attended, weights = eager(query, key, value, mask, scoring)
        assert weights is not None
        record(ATTENTIONS, weights.mean(1, keepdim=True).expand_as(weights))
        return attended


class WavLMModel(SpeechEncoderModel, WavLMPreTrainedModel):
    """WavLM without a head."""

    def make_layer(self, config: WavLMConfig, index: int) -> nn.Module:
        return speech_layer(config, GatedRelativeAttention(config, first=index == 0))


class WavLMForCTC(ForCTC, WavLMPreTrainedModel):
    """WavLM that transcribes."""

    base_class = WavLMModel


class WavLMForSequenceClassification(ForAudioClassification, WavLMPreTrainedModel):
    """WavLM with a classifier of the whole sound."""

    base_class = WavLMModel


class WavLMForAudioFrameClassification(ForAudioFrameClassification, WavLMPreTrainedModel):
    """WavLM with a classifier of every frame."""

    base_class = WavLMModel


class WavLMForXVector(ForXVector, WavLMPreTrainedModel):
    """WavLM with a vector for the speaker."""

    base_class = WavLMModel
