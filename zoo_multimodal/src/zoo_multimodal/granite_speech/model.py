"""Granite Speech: a Conformer, a Q-Former that joins windows of its states, and Granite."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.recording import unrecorded
from zoo_multimodal.audio_text import AudioTextForConditionalGeneration, AudioTextModel
from zoo_multimodal.granite_speech.config import GraniteSpeechConfig


class GraniteSpeechProjector(nn.Module):
    """Learned queries over each window of states (https://arxiv.org/abs/2310.13289)."""

    def __init__(self, config: GraniteSpeechConfig) -> None:
        super().__init__()
        self.window = config.window_size
        size = config.projector_config.hidden_size
        self.query = nn.Parameter(torch.zeros(1, config.window_size // config.downsample_rate, size))
        self.qformer = build_part(config.projector_config)
        self.linear = nn.Linear(size, config.text_config.hidden_size)

    def forward(self, states: Tensor) -> Tensor:
        """(batch, frames, width) to (batch, windows x queries, hidden)."""
        rows, frames, _ = states.shape
        windows = F.pad(states, (0, 0, 0, -frames % self.window)).unflatten(1, (-1, self.window))
        windows = windows.flatten(0, 1)
        query = self.query.expand(len(windows), -1, -1)
        with unrecorded():
            found = self.qformer(query_embeds=query, encoder_hidden_states=windows).last_hidden_state
        return self.linear(found.reshape(rows, -1, found.shape[-1]))


class GraniteSpeechPreTrainedModel(PreTrainedModel):
    """What all Granite Speech classes share."""

    config_class = GraniteSpeechConfig
    base_model_prefix = "model"


class GraniteSpeechModel(GraniteSpeechPreTrainedModel, AudioTextModel):
    """The model without its head."""

    audio_inputs = ("input_features_mask",)
    features_fill = False

    def make_tower(self, config: GraniteSpeechConfig) -> None:
        self.encoder = build_part(config.encoder_config)
        self.projector = GraniteSpeechProjector(config)

    def get_audio_features(
        self, input_features: Tensor, input_features_mask: Tensor | None = None, **options: Any
    ) -> Tensor:
        """Features of all sounds (n, hidden).

        Args:
            input_features_mask: bool (sounds, features), False for features of padding.
        """
        features = self.projector(self.encoder(input_features).last_hidden_state)
        if input_features_mask is None:
            return features.flatten(0, 1)
        if input_features_mask.shape != features.shape[:2]:
            raise ValueError(
                f"input_features_mask is {tuple(input_features_mask.shape)}, but there are "
                f"{tuple(features.shape[:2])} features"
            )
        return features[input_features_mask.bool()]


class GraniteSpeechForConditionalGeneration(AudioTextForConditionalGeneration, GraniteSpeechPreTrainedModel):
    """Granite Speech with the language model's head."""

    base_class = GraniteSpeechModel
    mask_hides_labels = True

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(hidden) / self.config.text_config.logits_scaling

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        input_features_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As the base's; `input_features_mask` (sounds, features) is False for padding."""
        if input_features is not None:
            inputs["input_features_mask"] = input_features_mask
        return super().forward(input_ids, input_features, attention_mask, **inputs)
