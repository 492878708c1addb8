"""A speech encoder joined with a text decoder."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_audio.speech_encoder_decoder.config import SpeechEncoderDecoderConfig
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.joined import JoinedModel
from zoo_core.modeling.outputs import ModelOutput, Seq2SeqLMOutput


class SpeechEncoderDecoderModel(JoinedModel):
    """Any registered speech encoder with any registered decoder that has cross-attention."""

    config_class = SpeechEncoderDecoderConfig
    base_model_prefix = "speech_encoder_decoder"
    main_input_name = "inputs"

    def encoder_width(self, config: PretrainedConfig) -> int:
        return int(getattr(config, "output_hidden_size", None) or config.hidden_size)

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        frame_mask: Any = getattr(self.encoder, "frame_mask", None)
        if attention_mask is None or frame_mask is None:
            return attention_mask
        return frame_mask(encoded.last_hidden_state.shape[1], attention_mask)

    def freeze_feature_encoder(self) -> None:
        """Keep the encoder's convolutions as they are in training."""
        encoder: Any = self.encoder
        encoder.freeze_feature_encoder()

    def forward(
        self,
        inputs: Tensor | None = None,
        *,
        input_values: Tensor | None = None,
        input_features: Tensor | None = None,
        **kwargs: Any,
    ) -> Seq2SeqLMOutput:
        """As `JoinedModel`; the sound may be given under the name of the encoder's own input."""
        given = [x for x in (inputs, input_values, input_features) if x is not None]
        if len(given) > 1:
            raise ValueError("pass one of inputs, input_values and input_features")
        return super().forward(given[0] if given else None, **kwargs)
