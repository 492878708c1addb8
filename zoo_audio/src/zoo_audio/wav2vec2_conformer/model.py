"""wav2vec 2.0 with a Conformer in place of the transformer."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_audio.seamless_m4t.conformer import (
    ConformerAttention,
    ConformerLayer,
    RelativeAttention,
    RotaryAttention,
    RotaryFrames,
)
from zoo_audio.wav2vec2.model import SpeechEncoderModel
from zoo_audio.wav2vec2.pretraining import Wav2Vec2ForPreTraining
from zoo_audio.wav2vec2_conformer.config import Wav2Vec2ConformerConfig
from zoo_core.heads.audio import ForAudioClassification, ForAudioFrameClassification, ForCTC, ForXVector
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers

_KINDS: dict[str | None, type[ConformerAttention]] = {
    "relative": RelativeAttention,
    "rotary": RotaryAttention,
    None: ConformerAttention,
}


class Wav2Vec2ConformerPreTrainedModel(PreTrainedModel):
    """What all classes of the type share."""

    config_class = Wav2Vec2ConformerConfig
    base_model_prefix = "wav2vec2_conformer"
    main_input_name = "input_values"


class Wav2Vec2ConformerModel(RotaryFrames, SpeechEncoderModel, Wav2Vec2ConformerPreTrainedModel):
    """The Conformer without a head; checkpoints hold a positional convolution that nothing uses."""

    hub_names = {**SpeechEncoderModel.hub_names, "inv_freq": "encoder.embed_positions.inv_freq"}

    def __init__(self, config: Wav2Vec2ConformerConfig) -> None:
        super().__init__(config)
        self.make_rotary(config)

    def make_layer(self, config: Any, index: int) -> nn.Module:
        layer = ConformerLayer(config, _KINDS[config.position_embeddings_type](config), causal=False)
        layer.self_attn.dropout = config.attention_dropout
        layer.conv_module.dropout = nn.Dropout(config.conformer_conv_dropout)
        for block in (layer.ffn1, layer.ffn2):
            block.activation_dropout = nn.Dropout(config.activation_dropout)
        return layer

    def encode(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        if mask is not None:
            hidden = hidden * mask[..., None]
        context = AttentionContext(hidden, mask)
        hidden = self.dropout(hidden)
        return run_layers(self.layers, hidden, context, norm=self.norm, mask=None, rotary=self.rotary(hidden))


class Wav2Vec2ConformerForPreTraining(Wav2Vec2ForPreTraining):
    """With a quantiser and the contrastive loss."""

    config_class = Wav2Vec2ConformerConfig
    base_model_prefix = "wav2vec2_conformer"
    base_class = Wav2Vec2ConformerModel


class Wav2Vec2ConformerForCTC(ForCTC, Wav2Vec2ConformerPreTrainedModel):
    """The Conformer that transcribes."""

    base_class = Wav2Vec2ConformerModel


class Wav2Vec2ConformerForSequenceClassification(ForAudioClassification, Wav2Vec2ConformerPreTrainedModel):
    """The Conformer with a classifier of the whole sound."""

    base_class = Wav2Vec2ConformerModel


class Wav2Vec2ConformerForAudioFrameClassification(
    ForAudioFrameClassification, Wav2Vec2ConformerPreTrainedModel
):
    """The Conformer with a classifier of every frame."""

    base_class = Wav2Vec2ConformerModel


class Wav2Vec2ConformerForXVector(ForXVector, Wav2Vec2ConformerPreTrainedModel):
    """The Conformer with a vector for the speaker."""

    base_class = Wav2Vec2ConformerModel
