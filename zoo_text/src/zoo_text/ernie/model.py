"""ERNIE: a BERT that may also be told its task."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndCrossAttentions
from zoo_core.nn.embeddings import embed
from zoo_text.bert import model as bert
from zoo_text.ernie.config import ErnieConfig


class ErniePreTrainedModel(bert.BertPreTrainedModel):
    """What all ERNIE classes share."""

    config_class = ErnieConfig
    base_model_prefix = "ernie"


class ErnieModel(ErniePreTrainedModel, bert.BertModel):
    """The encoder without a head; `task_type_ids` (batch, sequence) count where `use_task_id` is set."""

    def make_embeddings(self, config: ErnieConfig) -> None:
        super().make_embeddings(config)
        if config.use_task_id:
            self.embeddings.task_type_embeddings = nn.Embedding(
                config.task_type_vocab_size, config.hidden_size
            )

    def forward(
        self,
        input_ids: Tensor | None = None,
        *args: Any,
        task_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        if not self.config.use_task_id:
            return super().forward(input_ids, *args, inputs_embeds=inputs_embeds, **inputs)
        words = embed(self.embeddings.word_embeddings, input_ids, inputs_embeds)
        if task_type_ids is None:
            task_type_ids = torch.zeros(words.shape[:2], dtype=torch.long, device=words.device)
        words = words + self.embeddings.task_type_embeddings(task_type_ids)
        return super().forward(None, *args, inputs_embeds=words, **inputs)


class ErnieForMaskedLM(ErniePreTrainedModel, bert.BertForMaskedLM):
    """ERNIE with a masked language modeling head."""

    base_class = ErnieModel


class ErnieForPreTraining(ErniePreTrainedModel, bert.BertForPreTraining):
    """ERNIE with both heads of its pre-training."""

    base_class = ErnieModel


class ErnieForCausalLM(ErniePreTrainedModel, bert.BertLMHeadModel):
    """ERNIE as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = ErnieModel


class ErnieForNextSentencePrediction(ErniePreTrainedModel, bert.BertForNextSentencePrediction):
    """ERNIE with a next-sentence head."""

    base_class = ErnieModel


class ErnieForSequenceClassification(ErniePreTrainedModel, bert.BertForSequenceClassification):
    """ERNIE with a classifier on the pooled output."""

    base_class = ErnieModel


class ErnieForMultipleChoice(ErniePreTrainedModel, bert.BertForMultipleChoice):
    """ERNIE with one score for each choice."""

    base_class = ErnieModel


class ErnieForTokenClassification(ErniePreTrainedModel, bert.BertForTokenClassification):
    """ERNIE with a classifier on each token."""

    base_class = ErnieModel


class ErnieForQuestionAnswering(ErniePreTrainedModel, bert.BertForQuestionAnswering):
    """ERNIE with scores of an answer's first and last token."""

    base_class = ErnieModel
