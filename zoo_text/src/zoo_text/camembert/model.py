"""CamemBERT: RoBERTa with another vocabulary and other training."""

from __future__ import annotations

from zoo_text.camembert.config import CamembertConfig
from zoo_text.roberta import model as roberta


class CamembertPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all CamemBERT classes share."""

    config_class = CamembertConfig


class CamembertModel(CamembertPreTrainedModel, roberta.RobertaModel):
    """The encoder without a head."""


class CamembertForMaskedLM(CamembertPreTrainedModel, roberta.RobertaForMaskedLM):
    """CamemBERT with a masked language modeling head."""

    base_class = CamembertModel


class CamembertForCausalLM(CamembertPreTrainedModel, roberta.RobertaForCausalLM):
    """CamemBERT as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = CamembertModel


class CamembertForSequenceClassification(CamembertPreTrainedModel, roberta.RobertaForSequenceClassification):
    """CamemBERT with a classifier on the first token."""

    base_class = CamembertModel


class CamembertForMultipleChoice(CamembertPreTrainedModel, roberta.RobertaForMultipleChoice):
    """CamemBERT with one score for each choice."""

    base_class = CamembertModel


class CamembertForTokenClassification(CamembertPreTrainedModel, roberta.RobertaForTokenClassification):
    """CamemBERT with a classifier on each token."""

    base_class = CamembertModel


class CamembertForQuestionAnswering(CamembertPreTrainedModel, roberta.RobertaForQuestionAnswering):
    """CamemBERT with scores of an answer's first and last token."""

    base_class = CamembertModel
