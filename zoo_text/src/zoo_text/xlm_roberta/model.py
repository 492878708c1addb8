"""XLM-RoBERTa: RoBERTa with another vocabulary and other training."""

from __future__ import annotations

from zoo_text.roberta import model as roberta
from zoo_text.xlm_roberta.config import XLMRobertaConfig


class XLMRobertaPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all XLM-RoBERTa classes share."""

    config_class = XLMRobertaConfig


class XLMRobertaModel(XLMRobertaPreTrainedModel, roberta.RobertaModel):
    """The encoder without a head."""


class XLMRobertaForMaskedLM(XLMRobertaPreTrainedModel, roberta.RobertaForMaskedLM):
    """XLM-RoBERTa with a masked language modeling head."""

    base_class = XLMRobertaModel


class XLMRobertaForCausalLM(XLMRobertaPreTrainedModel, roberta.RobertaForCausalLM):
    """XLM-RoBERTa as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = XLMRobertaModel


class XLMRobertaForSequenceClassification(
    XLMRobertaPreTrainedModel, roberta.RobertaForSequenceClassification
):
    """XLM-RoBERTa with a classifier on the first token."""

    base_class = XLMRobertaModel


class XLMRobertaForMultipleChoice(XLMRobertaPreTrainedModel, roberta.RobertaForMultipleChoice):
    """XLM-RoBERTa with one score for each choice."""

    base_class = XLMRobertaModel


class XLMRobertaForTokenClassification(XLMRobertaPreTrainedModel, roberta.RobertaForTokenClassification):
    """XLM-RoBERTa with a classifier on each token."""

    base_class = XLMRobertaModel


class XLMRobertaForQuestionAnswering(XLMRobertaPreTrainedModel, roberta.RobertaForQuestionAnswering):
    """XLM-RoBERTa with scores of an answer's first and last token."""

    base_class = XLMRobertaModel
