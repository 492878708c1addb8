"""Megatron-BERT: a BERT with norms before the blocks, and none in the embeddings."""

from __future__ import annotations

from torch import nn

from zoo_core.checkpoint.dialects import BERT
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_text.bert import model as bert
from zoo_text.megatron_bert.config import MegatronBertConfig


class MegatronBertPreTrainedModel(bert.BertPreTrainedModel):
    """What all Megatron-BERT classes share."""

    config_class = MegatronBertConfig


class MegatronBertLayer(bert.PreNormBertLayer):
    """A layer with the norms before the blocks."""

    hub_names = bert.PreNormBertLayer.hub_names | {
        "input_layernorm": "attention.ln",
        "cross_attn_layernorm": "crossattention.ln",
        "post_attention_layernorm": "ln",
    }


class MegatronBertModel(MegatronBertPreTrainedModel, bert.BertModel):
    """The encoder without a head."""

    hub_names = BERT | {"norm": "encoder.ln"}
    layer_class = MegatronBertLayer
    final_norm = True

    def embed_with(self, config: MegatronBertConfig, width: int) -> TextEmbeddings:
        embeddings = super().embed_with(config, width)
        embeddings.layer_norm = nn.Identity()
        return embeddings


class MegatronBertForMaskedLM(MegatronBertPreTrainedModel, bert.BertForMaskedLM):
    """Megatron-BERT with a masked language modeling head."""

    base_class = MegatronBertModel


class MegatronBertForPreTraining(MegatronBertPreTrainedModel, bert.BertForPreTraining):
    """Megatron-BERT with both heads of its pre-training."""

    base_class = MegatronBertModel


class MegatronBertForCausalLM(MegatronBertPreTrainedModel, bert.BertLMHeadModel):
    """Megatron-BERT as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = MegatronBertModel


class MegatronBertForNextSentencePrediction(MegatronBertPreTrainedModel, bert.BertForNextSentencePrediction):
    """Megatron-BERT with a next-sentence head."""

    base_class = MegatronBertModel


class MegatronBertForSequenceClassification(MegatronBertPreTrainedModel, bert.BertForSequenceClassification):
    """Megatron-BERT with a classifier on the pooled output."""

    base_class = MegatronBertModel


class MegatronBertForMultipleChoice(MegatronBertPreTrainedModel, bert.BertForMultipleChoice):
    """Megatron-BERT with one score for each choice."""

    base_class = MegatronBertModel


class MegatronBertForTokenClassification(MegatronBertPreTrainedModel, bert.BertForTokenClassification):
    """Megatron-BERT with a classifier on each token."""

    base_class = MegatronBertModel


class MegatronBertForQuestionAnswering(MegatronBertPreTrainedModel, bert.BertForQuestionAnswering):
    """Megatron-BERT with scores of an answer's first and last token."""

    base_class = MegatronBertModel
