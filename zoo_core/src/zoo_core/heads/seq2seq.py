"""Heads of encoder-decoder models."""

from __future__ import annotations

from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.generation import GenerationMixin
from zoo_core.heads.base import Headed
from zoo_core.heads.tokens import ForQuestionAnswering
from zoo_core.modeling.loss import sequence_loss, token_loss
from zoo_core.modeling.outputs import (
    ModelOutput,
    Seq2SeqLMOutput,
    Seq2SeqQuestionAnsweringModelOutput,
    Seq2SeqSequenceClassifierOutput,
)
from zoo_core.modeling.seq2seq import shift_tokens_right
from zoo_core.nn.linear import Linear


class SeqToSeqHead(Headed):
    """What the heads below share: the encoder and decoder of the base model."""

    def get_encoder(self) -> nn.Module:
        return cast(Any, self.model).get_encoder()

    def get_decoder(self) -> nn.Module:
        return cast(Any, self.model).get_decoder()


class ForConditionalGeneration(GenerationMixin, SeqToSeqHead):
    """Scores of the decoder's next token; `labels` (batch, target) make the decoder's inputs and the loss."""

    output_class: ClassVar[type[ModelOutput]] = Seq2SeqLMOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.lm_head = Linear(config.d_model, config.vocab_size, bias=False)

    def score(self, hidden: Tensor) -> Tensor:
        """Logits of the decoder's states."""
        return self.lm_head(hidden)

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """Labels shifted to the right, see `shift_tokens_right`."""
        start: Any = self.config.decoder_start_token_id
        return shift_tokens_right(labels, self.config.pad_token_id, start)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        decoder_input_ids: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        outputs = self.model(
            input_ids,
            decoder_input_ids=decoder_input_ids,
            decoder_inputs_embeds=decoder_inputs_embeds,
            **inputs,
        )
        return self.scored(outputs, labels)

    def scored(self, outputs: ModelOutput, labels: Tensor | None) -> ModelOutput:
        """The head's output from that of the base model."""
        logits = self.score(outputs.last_hidden_state)
        loss = None if labels is None else token_loss(logits, labels)
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class BiasedForConditionalGeneration(ForConditionalGeneration):
    """As ForConditionalGeneration, with the constant `final_logits_bias` (1, vocab_size) added (BART)."""

    final_logits_bias: Tensor

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.register_buffer("final_logits_bias", torch.zeros(1, config.vocab_size))

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(hidden) + self.final_logits_bias.to(hidden.dtype)

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        embeddings = super().resize_token_embeddings(*args, **kwargs)
        missing = self.lm_head.out_features - self.final_logits_bias.shape[-1]
        self.final_logits_bias = nn.functional.pad(self.final_logits_bias, (0, missing))
        return embeddings


class ClassificationHead(nn.Module):
    """Dropout, dense layer, tanh, dropout, labels' layer."""

    def __init__(self, size: int, num_labels: int, dropout: float) -> None:
        super().__init__()
        self.dense = nn.Linear(size, size)
        self.out_proj = nn.Linear(size, num_labels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.out_proj(self.dropout(self.dense(self.dropout(hidden)).tanh()))


class ForSeq2SeqSequenceClassification(SeqToSeqHead):
    """A classifier on the decoder's state of the last end-of-sequence token; logits (batch, labels)."""

    output_class: ClassVar[type[ModelOutput]] = Seq2SeqSequenceClassifierOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.classification_head = ClassificationHead(
            config.d_model, config.num_labels, config.classifier_dropout
        )

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        if labels is not None:
            inputs["use_cache"] = False
        outputs = self.model(input_ids, **inputs)
        hidden = outputs.last_hidden_state
        if input_ids is None:
            raise ValueError(
                "sequence classification needs input_ids: it looks for the end-of-sequence token"
            )
        eos: Any = self.config.eos_token_id
        if eos is None:
            raise ValueError("sequence classification needs the config's eos_token_id")
        ends = input_ids.eq(eos).to(hidden.device)
        counts = ends.sum(1)
        if len(counts.unique()) > 1 or not counts[0]:
            raise ValueError(
                f"all rows must have the same number of end-of-sequence tokens (id {eos}), at least one; "
                f"here they have {counts.tolist()}"
            )
        logits = self.classification_head(hidden[ends].view(len(hidden), -1, hidden.shape[-1])[:, -1])
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class ForSeq2SeqQuestionAnswering(SeqToSeqHead):
    """Scores of the answer's first and last token in the decoder's sequence, (batch, sequence) each."""

    output_class: ClassVar[type[ModelOutput]] = Seq2SeqQuestionAnsweringModelOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.qa_outputs = nn.Linear(config.hidden_size, config.num_labels)

    forward = ForQuestionAnswering.forward
