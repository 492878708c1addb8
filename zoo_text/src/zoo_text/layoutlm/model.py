"""LayoutLM: a BERT that is told where on the page each word stands."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.checkpoint.dialects import BERT
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndCrossAttentions
from zoo_core.nn.boxes import BoxEmbedding, boxes_or_none
from zoo_core.nn.embeddings import embed
from zoo_text.bert import model as bert
from zoo_text.layoutlm.config import LayoutLMConfig


class LayoutLMPreTrainedModel(bert.BertPreTrainedModel):
    """What all LayoutLM classes share."""

    config_class = LayoutLMConfig
    base_model_prefix = "layoutlm"


class LayoutLMModel(LayoutLMPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    blind_queries_average = True
    hub_names = {**BERT, "embeddings.boxes": "embeddings"}

    def make_embeddings(self, config: LayoutLMConfig) -> None:
        super().make_embeddings(config)
        size = config.hidden_size
        self.embeddings.boxes = BoxEmbedding(config.max_2d_position_embeddings, size, size)

    def forward(
        self,
        input_ids: Tensor | None = None,
        bbox: Tensor | None = None,
        *args: Any,
        inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """As BERT's; `bbox` (batch, sequence, 4): x0, y0, x1, y1 of each word in thousandths of the page."""
        words = embed(self.embeddings.word_embeddings, input_ids, inputs_embeds)
        words = words + sum(self.embeddings.boxes(boxes_or_none(bbox, words)))
        return super().forward(None, *args, inputs_embeds=words, **inputs)


class LayoutLMForMaskedLM(LayoutLMPreTrainedModel, bert.BertForMaskedLM):
    """LayoutLM with a masked language modeling head."""

    base_class = LayoutLMModel
    base_options = {}


class LayoutLMForSequenceClassification(LayoutLMPreTrainedModel, bert.BertForSequenceClassification):
    """LayoutLM with a classifier on the pooled output."""

    base_class = LayoutLMModel


class LayoutLMForTokenClassification(LayoutLMPreTrainedModel, bert.BertForTokenClassification):
    """LayoutLM with a classifier on each token."""

    base_class = LayoutLMModel
    base_options = {}


class LayoutLMForQuestionAnswering(LayoutLMPreTrainedModel, bert.BertForQuestionAnswering):
    """LayoutLM with scores of an answer's first and last token."""

    base_class = LayoutLMModel
    base_options = {}
