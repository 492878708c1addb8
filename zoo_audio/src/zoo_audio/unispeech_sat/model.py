"""UniSpeech-SAT: wav2vec 2.0's encoder, trained to tell speakers apart."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.unispeech_sat.config import UniSpeechSatConfig
from zoo_audio.wav2vec2.model import SpeechEncoderModel
from zoo_audio.wav2vec2.pretraining import Quantizer
from zoo_core.heads.audio import (
    AudioHead,
    ForAudioClassification,
    ForAudioFrameClassification,
    ForCTC,
    ForXVector,
)
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput


class UniSpeechSatPreTrainedModel(PreTrainedModel):
    """What all UniSpeech-SAT classes share."""

    config_class = UniSpeechSatConfig
    base_model_prefix = "unispeech_sat"
    main_input_name = "input_values"


class UniSpeechSatModel(SpeechEncoderModel, UniSpeechSatPreTrainedModel):
    """UniSpeech-SAT without a head."""


class UniSpeechSatForCTC(ForCTC, UniSpeechSatPreTrainedModel):
    """UniSpeech-SAT that transcribes."""

    base_class = UniSpeechSatModel


class UniSpeechSatForSequenceClassification(ForAudioClassification, UniSpeechSatPreTrainedModel):
    """UniSpeech-SAT with a classifier of the whole sound."""

    base_class = UniSpeechSatModel


class UniSpeechSatForAudioFrameClassification(ForAudioFrameClassification, UniSpeechSatPreTrainedModel):
    """UniSpeech-SAT with a classifier of every frame."""

    base_class = UniSpeechSatModel


class UniSpeechSatForXVector(ForXVector, UniSpeechSatPreTrainedModel):
    """UniSpeech-SAT with a vector for the speaker."""

    base_class = UniSpeechSatModel


class UniSpeechSatForPreTrainingOutput(ModelOutput):
    """States (batch, frames, hidden), and as `logits` the normalised outputs of the convolutions."""

    loss: Tensor | None = None
    logits: Tensor
    projected_states: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class UniSpeechSatForPreTraining(AudioHead, UniSpeechSatPreTrainedModel):
    """UniSpeech-SAT with the parts of its objective, which checkpoints hold and no output uses."""

    base_class = UniSpeechSatModel

    def build_head(self, config: UniSpeechSatConfig) -> None:
        size, codes = config.hidden_size, config.codevector_dim
        self.dropout_features = nn.Dropout(config.feat_quantizer_dropout)
        self.quantizer = Quantizer(config, size)
        self.project_q = nn.Linear(codes, config.proj_codevector_dim)
        self.project_hid = nn.Linear(size, config.proj_codevector_dim)
        self.speaker_proj = nn.Linear(size, codes)
        self.label_embeddings_concat = nn.Parameter(torch.zeros(config.num_clusters, codes))
        self.layer_norm_for_extract = nn.LayerNorm(size, eps=config.layer_norm_eps)

    def set_gumbel_temperature(self, temperature: float) -> None:
        """How soft the choice of code vectors is in training."""
        self.quantizer.temperature = temperature

    def forward(
        self, input_values: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> UniSpeechSatForPreTrainingOutput:
        """As the base model; there is no loss."""
        outputs = self.model(input_values, attention_mask, **inputs)
        return UniSpeechSatForPreTrainingOutput.carry(
            outputs,
            logits=self.dropout_features(outputs.extract_features),
            projected_states=outputs.last_hidden_state,
        )
