"""The head of models that write what they hear."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.outputs import ModelOutput


class ForTranscription(ForConditionalGeneration):
    """As `ForConditionalGeneration`, of `input_features`."""

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As the base model; `labels` (batch, target) make the decoder's inputs and the loss."""
        return super().forward(
            input_features,
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            encoder_outputs=encoder_outputs,
            decoder_inputs_embeds=decoder_inputs_embeds,
            **inputs,
        )
