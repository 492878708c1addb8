"""Voxtral: Whisper's encoder, four states joined to one, and a language model."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_audio.whisper.model import WhisperEncoder
from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.audio_text import AudioTextForConditionalGeneration, AudioTextModel
from zoo_multimodal.image_text import Projector
from zoo_multimodal.voxtral.config import VoxtralConfig, VoxtralEncoderConfig


class VoxtralEncoder(WhisperEncoder):
    """Mel frames to states, half as many."""

    config_class = VoxtralEncoderConfig


class VoxtralPreTrainedModel(PreTrainedModel):
    """What all Voxtral classes share."""

    config_class = VoxtralConfig
    base_model_prefix = "model"


class VoxtralModel(VoxtralPreTrainedModel, AudioTextModel):
    """The model without its head."""

    def make_projector(self, config: VoxtralConfig) -> nn.Module:
        return Projector(
            config.audio_config.intermediate_size,
            config.text_config.hidden_size,
            config.projector_hidden_act,
            bias=False,
        )

    def get_audio_features(self, input_features: Tensor, **options: Any) -> Tensor:
        """Features of all chunks (n, hidden) of mel frames (chunks, bands, frames)."""
        states = self.audio_tower(input_features).last_hidden_state
        return self.multi_modal_projector(states.reshape(-1, self.config.audio_config.intermediate_size))


class VoxtralForConditionalGeneration(AudioTextForConditionalGeneration, VoxtralPreTrainedModel):
    """Voxtral with the language model's head."""

    base_class = VoxtralModel
