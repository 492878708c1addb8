"""RoBERTa: BERT whose positions skip padding, with heads of its own."""

from __future__ import annotations

from torch import nn

from zoo_core.heads.first_token import ForFirstTokenClassification
from zoo_core.heads.language import ForCausalLM, ForMaskedLM, LMTransform
from zoo_core.heads.pooled import ForMultipleChoice
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings
from zoo_text.bert.model import LM_TIE, BertModel
from zoo_text.roberta.config import RobertaConfig


class RobertaPreTrainedModel(PreTrainedModel):
    """What all RoBERTa classes share."""

    config_class = RobertaConfig
    base_model_prefix = "roberta"
    aliases = {"lm_head.decoder.bias": "lm_head.bias"}


class RobertaModel(RobertaPreTrainedModel, BertModel):
    """The encoder without a head."""

    embeddings_class = UnpaddedTextEmbeddings


class RobertaLMHead(RobertaPreTrainedModel):
    """The head that both language modeling objectives share."""

    base_class = RobertaModel
    base_options = {"add_pooling_layer": False}
    head_names = {"lm_head.decoder.bias": "lm_head.bias"}
    tied_weights = LM_TIE

    def make_lm_head(self, config: RobertaConfig) -> nn.Module:
        return LMTransform(config.hidden_size, config.vocab_size, act="gelu", eps=config.layer_norm_eps)


class RobertaForMaskedLM(RobertaLMHead, ForMaskedLM):
    """RoBERTa with a masked language modeling head."""


class RobertaForCausalLM(RobertaLMHead, ForCausalLM):
    """RoBERTa as a decoder; set `is_decoder` in the config for causal attention."""

    output_class = CausalLMOutputWithCrossAttentions
    explicit_positions = True  # generation counts from 0, not as forward does by itself


class RobertaForSequenceClassification(ForFirstTokenClassification, RobertaPreTrainedModel):
    """RoBERTa with a classifier on the first token."""

    base_class = RobertaModel


class RobertaForMultipleChoice(ForMultipleChoice, RobertaPreTrainedModel):
    """RoBERTa with one score for each choice."""

    base_class = RobertaModel


class RobertaForTokenClassification(ForTokenClassification, RobertaPreTrainedModel):
    """RoBERTa with a classifier on each token."""

    base_class = RobertaModel
    base_options = {"add_pooling_layer": False}


class RobertaForQuestionAnswering(ForQuestionAnswering, RobertaPreTrainedModel):
    """RoBERTa with scores of an answer's first and last token."""

    base_class = RobertaModel
    base_options = {"add_pooling_layer": False}
