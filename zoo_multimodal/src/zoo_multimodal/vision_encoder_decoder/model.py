"""An image encoder joined with a text decoder: captions, and reading (TrOCR, Donut)."""

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

    def forward(
        self,
        pixel_values: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        past_key_values: Any = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        *,
        cache_position: Tensor | None = None,
        **kwargs: Any,
    ) -> Seq2SeqLMOutput:
        """Images (batch, channels, height, width) and ids (batch, target) to logits (batch, target, vocab).

        Args:
            labels: (batch, target), which make the decoder's inputs and the loss; -100 does not count.
            **kwargs: with the prefix `decoder_` for the decoder, all others for the encoder.
        """
        if pixel_values is None and encoder_outputs is None:
            raise ValueError("pass pixel_values (batch, channels, height, width), or encoder_outputs")
        return super().forward(
            pixel_values,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            encoder_outputs=encoder_outputs,
            past_key_values=past_key_values,
            decoder_inputs_embeds=decoder_inputs_embeds,
            labels=labels,
            use_cache=use_cache,
            cache_position=cache_position,
            **kwargs,
        )
