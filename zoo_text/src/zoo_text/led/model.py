"""LED: a BART whose encoder reads long texts with Longformer's attention."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    ModelOutput,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Seq2SeqSequenceClassifierOutput,
)
from zoo_core.nn.embeddings import LearnedPositions
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_text.bart import model as bart
from zoo_text.led.config import LEDConfig
from zoo_text.longformer.attention import LongformerAttention, Reach


class LEDEncoderBaseModelOutput(BaseModelOutput):
    """States; the shapes of `attentions` and `global_attentions` are those of Longformer's."""

    global_attentions: tuple[Tensor, ...] | None = None


class LEDSeq2SeqModelOutput(Seq2SeqModelOutput):
    """Hidden states of the decoder, with those of the encoder."""

    encoder_global_attentions: tuple[Tensor, ...] | None = None


class LEDSeq2SeqLMOutput(Seq2SeqLMOutput):
    """Scores of the decoder's next token."""

    encoder_global_attentions: tuple[Tensor, ...] | None = None


class LEDSeq2SeqSequenceClassifierOutput(Seq2SeqSequenceClassifierOutput):
    """Scores of the whole sequence."""

    encoder_global_attentions: tuple[Tensor, ...] | None = None


class LEDSeq2SeqQuestionAnsweringModelOutput(Seq2SeqQuestionAnsweringModelOutput):
    """Scores of the answer's first and last token."""

    encoder_global_attentions: tuple[Tensor, ...] | None = None


class LEDPreTrainedModel(bart.BartPreTrainedModel):
    """What all LED classes share."""

    config_class = LEDConfig
    base_model_prefix = "led"


WINDOWED_LAYER = {
    **BART_LAYER,
    "self_attn.o_proj": "self_attn.output",
    **{
        f"self_attn.{letter}_{own}": f"self_attn.longformer_self_attn.{name}{ending}"
        for letter, name in (("q", "query"), ("k", "key"), ("v", "value"))
        for own, ending in (("proj", ""), ("global", "_global"))
    },
}


class LEDStack(LEDPreTrainedModel, bart.BartStack):
    """LED's decoder, and the parts of its encoder."""

    def make_positions(self, config: LEDConfig) -> nn.Module:
        rows = (
            config.max_decoder_position_embeddings
            if self.is_decoder
            else config.max_encoder_position_embeddings
        )
        return LearnedPositions(rows, config.d_model)


class LEDEncoder(LEDStack):
    """LED's encoder: a token sees its neighbours, and the tokens that see all."""

    def make_layer(self, config: LEDConfig, layer_idx: int) -> nn.Module:
        layer: Any = super().make_layer(config, layer_idx)
        layer.self_attn = LongformerAttention(
            config.d_model,
            config.encoder_attention_heads,
            window=config.windows[layer_idx] // 2,
            multiple=max(config.windows),
            dropout=config.attention_dropout,
        )
        layer.hub_names = WINDOWED_LAYER
        return layer  # type: ignore[no-any-return]

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        global_attention_mask: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, size).

        `global_attention_mask` (batch, sequence) is 1 for tokens that see all and that all see.
        """
        hidden = self.embed(input_ids, inputs_embeds, position_ids, 0)
        reach = Reach.of(hidden, attention_mask, global_attention_mask)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), head_mask=head_mask, reach=reach)
        return LEDEncoderBaseModelOutput(last_hidden_state=hidden)


class LEDModel(LEDPreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    encoder_class = LEDEncoder
    stack_class = LEDStack
    output_class = LEDSeq2SeqModelOutput


class LEDForConditionalGeneration(LEDPreTrainedModel, bart.BartForConditionalGeneration):
    """LED with a language modeling head."""

    base_class = LEDModel
    output_class = LEDSeq2SeqLMOutput


class LEDForSequenceClassification(LEDPreTrainedModel, bart.BartForSequenceClassification):
    """LED with a classifier on the last end-of-sequence token."""

    base_class = LEDModel
    output_class = LEDSeq2SeqSequenceClassifierOutput


class LEDForQuestionAnswering(LEDPreTrainedModel, bart.BartForQuestionAnswering):
    """LED with scores of an answer's first and last token."""

    base_class = LEDModel
    output_class = LEDSeq2SeqQuestionAnsweringModelOutput
