"""Qwen2-Audio: Whisper's encoder, its states averaged two by two, and a linear map to a language model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.whisper.model import WhisperEncoder
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithPast, ModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_multimodal.audio_text import AudioTextForConditionalGeneration, AudioTextModel
from zoo_multimodal.qwen2_audio.config import Qwen2AudioConfig, Qwen2AudioEncoderConfig


class Qwen2AudioCausalLMOutputWithPast(CausalLMOutputWithPast):
    """As its base, with the mask of the text and the sounds (batch, sequence)."""

    attention_mask: Tensor | None = None


class Qwen2AudioEncoder(WhisperEncoder):
    """Mel frames to states, a quarter as many."""

    config_class = Qwen2AudioEncoderConfig

    def make_context(self, hidden: Tensor, attention_mask: Tensor | None) -> AttentionContext:
        """`attention_mask` is (sounds, states), or four-dimensional."""
        return AttentionContext(hidden, attention_mask)

    def finish(self, hidden: Tensor) -> Tensor:
        return self.norm(nn.functional.avg_pool1d(hidden.transpose(1, 2), 2).transpose(1, 2))


class Qwen2AudioProjector(nn.Module):
    """A linear map."""

    def __init__(self, width: int, hidden_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, hidden_size)

    def forward(self, states: Tensor) -> Tensor:
        return self.linear(states)


class Qwen2AudioPreTrainedModel(PreTrainedModel):
    """What all Qwen2-Audio classes share."""

    config_class = Qwen2AudioConfig
    base_model_prefix = "model"


class Qwen2AudioModel(Qwen2AudioPreTrainedModel, AudioTextModel):
    """The model without its head."""

    audio_inputs = ("feature_attention_mask",)

    def make_projector(self, config: Qwen2AudioConfig) -> nn.Module:
        return Qwen2AudioProjector(config.audio_config.d_model, config.text_config.hidden_size)

    def get_audio_features(
        self, input_features: Tensor, feature_attention_mask: Tensor | None = None, **options: Any
    ) -> Tensor:
        """Features of all sounds (n, hidden), those of padding left out.

        Args:
            feature_attention_mask: (sounds, mel frames), 0 for padding.
        """
        lengths = None
        mask = None
        if feature_attention_mask is not None:
            lengths = (feature_attention_mask.sum(-1) - 1) // 2 + 1
            frames = (input_features.shape[-1] - 1) // 2 + 1
            mask = torch.arange(frames, device=lengths.device) < lengths[:, None]
        states = self.audio_tower(input_features, attention_mask=mask).last_hidden_state
        features = self.multi_modal_projector(states)
        if lengths is None:
            return features.flatten(0, 1)
        kept = torch.arange(features.shape[1], device=lengths.device) < ((lengths - 2) // 2 + 1)[:, None]
        return features[kept]


class Qwen2AudioForConditionalGeneration(AudioTextForConditionalGeneration, Qwen2AudioPreTrainedModel):
    """Qwen2-Audio with the language model's head."""

    base_class = Qwen2AudioModel
    output_class = Qwen2AudioCausalLMOutputWithPast
    mask_hides_labels = True

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        feature_attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As the base's; `feature_attention_mask` (sounds, mel frames) is 0 for padding."""
        if input_features is not None:
            inputs["feature_attention_mask"] = feature_attention_mask
        found = super().forward(input_ids, input_features, attention_mask, **inputs)
        found["attention_mask"] = attention_mask
        return found
