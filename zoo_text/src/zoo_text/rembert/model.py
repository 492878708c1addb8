"""RemBERT: BERT with narrow embeddings of its own at the input, and wide ones at the output."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT
from zoo_core.heads.language import LMTransform
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.bert import model as bert
from zoo_text.rembert.config import RemBertConfig


class RemBertPreTrainedModel(bert.BertPreTrainedModel):
    """What all RemBERT classes share."""

    config_class = RemBertConfig
    base_model_prefix = "rembert"


class RemBertModel(RemBertPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    hub_names = BERT | {"embeddings_project": "encoder.embedding_hidden_mapping_in"}

    def make_embeddings(self, config: RemBertConfig) -> None:
        self.embeddings = self.embed_with(config, config.input_embedding_size)
        self.embeddings_project = nn.Linear(config.input_embedding_size, config.hidden_size)

    def embed(self, *args: Any, **inputs: Any) -> Tensor:
        return self.embeddings_project(super().embed(*args, **inputs))


class RemBertLMHead(PreTrainedModel):
    """The head that both language modeling objectives share."""

    base_class = RemBertModel
    tied_weights = {}
    head_names = {
        "lm_head": "cls.predictions",
        "lm_head.layer_norm": "cls.predictions.LayerNorm",
    }

    def make_lm_head(self, config: RemBertConfig) -> nn.Module:
        return LMTransform(
            config.hidden_size,
            config.vocab_size,
            act=config.hidden_act,
            eps=config.layer_norm_eps,
            inner_size=config.output_embedding_size,
        )


class RemBertForMaskedLM(RemBertPreTrainedModel, RemBertLMHead, bert.BertForMaskedLM):
    """RemBERT with a masked language modeling head."""


class RemBertForCausalLM(RemBertPreTrainedModel, RemBertLMHead, bert.BertLMHeadModel):
    """RemBERT as a decoder; set `is_decoder` in the config for causal attention."""


class RemBertForSequenceClassification(RemBertPreTrainedModel, bert.BertForSequenceClassification):
    """RemBERT with a classifier on the pooled output."""

    base_class = RemBertModel


class RemBertForMultipleChoice(RemBertPreTrainedModel, bert.BertForMultipleChoice):
    """RemBERT with one score for each choice."""

    base_class = RemBertModel


class RemBertForTokenClassification(RemBertPreTrainedModel, bert.BertForTokenClassification):
    """RemBERT with a classifier on each token."""

    base_class = RemBertModel


class RemBertForQuestionAnswering(RemBertPreTrainedModel, bert.BertForQuestionAnswering):
    """RemBERT with scores of an answer's first and last token."""

    base_class = RemBertModel
