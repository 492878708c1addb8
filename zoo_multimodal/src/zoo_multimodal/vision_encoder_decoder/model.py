"""An image encoder joined with a text decoder."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.modeling.joined import JoinedModel
from zoo_core.modeling.outputs import ModelOutput, Seq2SeqLMOutput
from zoo_multimodal.vision_encoder_decoder.config import VisionEncoderDecoderConfig


class VisionEncoderDecoderModel(JoinedModel):
    """Any registered image encoder with any registered decoder that has cross-attention."""

    config_class = VisionEncoderDecoderConfig
    base_model_prefix = "vision_encoder_decoder"
    main_input_name = "pixel_values"
    shift_labels = True

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        return None

    def forward(self, pixel_values: Tensor | None = None, **kwargs: Any) -> Seq2SeqLMOutput:
        """As `JoinedModel`, of images (batch, channels, height, width).

        Args:
            pixel_values: may be left out where `encoder_outputs` of an earlier call are given.
        """
        if pixel_values is None and kwargs.get("encoder_outputs") is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        return super().forward(pixel_values, **kwargs)
