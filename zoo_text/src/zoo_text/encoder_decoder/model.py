"""A text encoder joined with a text decoder."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.modeling.joined import JoinedModel
from zoo_core.modeling.outputs import Seq2SeqLMOutput
from zoo_text.encoder_decoder.config import EncoderDecoderConfig


class EncoderDecoderModel(JoinedModel):
    """Any registered text encoder with any registered decoder that has cross-attention."""

    config_class = EncoderDecoderConfig
    base_model_prefix = "encoder_decoder"

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> Seq2SeqLMOutput:
        """As `JoinedModel`, of ids (batch, source) or vectors."""
        if inputs_embeds is not None:
            kwargs["inputs_embeds"] = inputs_embeds
        return super().forward(input_ids, attention_mask, **kwargs)
