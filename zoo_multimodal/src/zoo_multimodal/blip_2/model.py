"""BLIP-2: a querying transformer between a frozen image encoder and a frozen language model."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithPast
from zoo_multimodal.blip_2.config import Blip2Config
from zoo_multimodal.blip_2.qformer import Blip2QFormerModel
from zoo_multimodal.blip_2.querying import (
    QueryingForConditionalGeneration,
    QueryingModel,
    QueryingModelOutput,
)
from zoo_multimodal.blip_2.vision import Blip2VisionModel

__all__ = ["Blip2ForConditionalGeneration", "Blip2Model", "Blip2QFormerModel", "Blip2VisionModel"]


class Blip2PreTrainedModel(PreTrainedModel):
    """What all BLIP-2 classes share."""

    config_class = Blip2Config
    base_model_prefix = "blip"
    main_input_name = "pixel_values"
    keep_in_float32 = ("query_tokens", "qformer")


class Blip2ForConditionalGenerationModelOutput(QueryingModelOutput):
    """Scores of the next token, and the outputs of image encoder, querying transformer and language model."""


class Blip2Parts(Blip2PreTrainedModel, QueryingModel):
    """The three parts in one call."""

    vision_class = Blip2VisionModel
    qformer_class = Blip2QFormerModel

    def forward(
        self,
        pixel_values: Tensor,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        use_cache: bool | None = None,
    ) -> Blip2ForConditionalGenerationModelOutput:
        """Images (batch, channels, height, width) and texts (batch, sequence) with a placeholder a query.

        `decoder_input_ids` and their mask (batch, target) are for encoder-decoder language models.
        """
        features, vision, asked = self.see(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        embedded = self.embed(input_ids, inputs_embeds, features)
        inputs: dict[str, Any] = {}
        if not self.config.use_decoder_only_language_model:
            inputs = {
                "decoder_input_ids": decoder_input_ids,
                "decoder_attention_mask": decoder_attention_mask,
            }
        loss, outputs = self.read(embedded, attention_mask, labels, use_cache=use_cache, **inputs)
        return Blip2ForConditionalGenerationModelOutput(
            loss=loss,
            logits=outputs.logits,
            vision_outputs=vision,
            qformer_outputs=asked,
            language_model_outputs=outputs,
        )


class Blip2Model(Blip2Parts):
    """Image encoder, querying transformer and language model, whose features can be had one by one.

    The three methods return the part's output, or with `legacy_output=False` its tensor alone.
    """

    def get_text_features(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        legacy_output: bool = True,
        **options: Any,
    ) -> CausalLMOutputWithPast | Tensor:
        """The language model's output on texts (batch, sequence) alone, or its logits."""
        inputs: dict[str, Any] = {"attention_mask": attention_mask, **options}
        if not self.config.use_decoder_only_language_model:
            inputs |= {
                "decoder_input_ids": decoder_input_ids,
                "decoder_attention_mask": decoder_attention_mask,
                "labels": labels,
            }
        outputs = self.language_model(input_ids, **inputs)
        return outputs if legacy_output else outputs.logits

    def get_image_features(
        self,
        pixel_values: Tensor,
        *,
        interpolate_pos_encoding: bool = False,
        legacy_output: bool = True,
        **options: Any,
    ) -> Any:
        """The image encoder's output on images (batch, channels, height, width), or its pooled states."""
        outputs = self.vision_model(
            pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, **options
        )
        return outputs if legacy_output else outputs.pooler_output

    def get_qformer_features(
        self,
        pixel_values: Tensor,
        *,
        interpolate_pos_encoding: bool = False,
        legacy_output: bool = True,
        **options: Any,
    ) -> Any:
        """The querying transformer's output on images, or its states (batch, queries, width)."""
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        queries = self.query_tokens.expand(len(pixel_values), -1, -1)
        outputs = self.qformer(queries, encoder_hidden_states=vision.last_hidden_state, **options)
        return outputs if legacy_output else outputs.last_hidden_state


class Blip2ForConditionalGeneration(QueryingForConditionalGeneration, Blip2Parts):
    """BLIP-2 that writes text."""
