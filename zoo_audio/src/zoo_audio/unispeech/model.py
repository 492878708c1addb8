"""UniSpeech: wav2vec 2.0's encoder, trained with phonemes of some languages."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_audio.unispeech.config import UniSpeechConfig
from zoo_audio.wav2vec2.model import SpeechEncoderModel
from zoo_audio.wav2vec2.pretraining import Quantizer
from zoo_core.heads.audio import AudioHead, ForAudioClassification, ForCTC
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput


class UniSpeechPreTrainedModel(PreTrainedModel):
    """What all UniSpeech classes share."""

    config_class = UniSpeechConfig
    base_model_prefix = "unispeech"
    main_input_name = "input_values"


class UniSpeechModel(SpeechEncoderModel, UniSpeechPreTrainedModel):
    """UniSpeech without a head."""


class UniSpeechForCTC(ForCTC, UniSpeechPreTrainedModel):
    """UniSpeech that transcribes."""

    base_class = UniSpeechModel


class UniSpeechForSequenceClassification(ForAudioClassification, UniSpeechPreTrainedModel):
    """UniSpeech with a classifier of the whole sound."""

    base_class = UniSpeechModel


class UniSpeechForPreTrainingOutput(ModelOutput):
    """States and quantised frames (batch, frames, hidden), and the perplexity of the codes."""

    loss: Tensor | None = None
    projected_states: Tensor
    projected_quantized_states: Tensor
    codevector_perplexity: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class UniSpeechForPreTraining(AudioHead, UniSpeechPreTrainedModel):
    """UniSpeech with a quantiser; `ctc_proj` scores phonemes of states and codes mixed."""

    base_class = UniSpeechModel

    def build_head(self, config: UniSpeechConfig) -> None:
        self.dropout_features = nn.Dropout(config.feat_quantizer_dropout)
        self.quantizer = Quantizer(config)
        self.project_q = nn.Linear(config.codevector_dim, config.proj_codevector_dim)
        self.project_hid = nn.Linear(config.proj_codevector_dim, config.hidden_size)
        self.ctc_proj = nn.Linear(config.hidden_size, config.num_ctc_classes)

    def set_gumbel_temperature(self, temperature: float) -> None:
        """How soft the choice of code vectors is in training."""
        self.quantizer.temperature = temperature

    def forward(
        self, input_values: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> UniSpeechForPreTrainingOutput:
        """As the base model; there is no loss."""
        outputs = self.model(input_values, attention_mask, **inputs)
        codes, perplexity = self.quantizer(self.dropout_features(outputs.extract_features), None)
        return UniSpeechForPreTrainingOutput.carry(
            outputs,
            projected_states=outputs.last_hidden_state,
            projected_quantized_states=self.project_hid(self.project_q(codes)),
            codevector_perplexity=perplexity,
        )
