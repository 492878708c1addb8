"""Data2Vec for text: a RoBERTa that has learned to predict states instead of words."""

from __future__ import annotations

from zoo_text.data2vec.config import Data2VecTextConfig
from zoo_text.roberta import model as roberta


class Data2VecTextPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all Data2Vec classes share."""

    config_class = Data2VecTextConfig
    base_model_prefix = "data2vec_text"


class Data2VecTextModel(Data2VecTextPreTrainedModel, roberta.RobertaModel):
    """The encoder without a head."""


class Data2VecTextForMaskedLM(Data2VecTextPreTrainedModel, roberta.RobertaForMaskedLM):
    """Data2Vec with a masked language modeling head."""

    base_class = Data2VecTextModel


class Data2VecTextForCausalLM(Data2VecTextPreTrainedModel, roberta.RobertaForCausalLM):
    """Data2Vec as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = Data2VecTextModel


class Data2VecTextForSequenceClassification(
    Data2VecTextPreTrainedModel, roberta.RobertaForSequenceClassification
):
    """Data2Vec with a classifier on the first token."""

    base_class = Data2VecTextModel


class Data2VecTextForMultipleChoice(Data2VecTextPreTrainedModel, roberta.RobertaForMultipleChoice):
    """Data2Vec with one score for each choice."""

    base_class = Data2VecTextModel


class Data2VecTextForTokenClassification(Data2VecTextPreTrainedModel, roberta.RobertaForTokenClassification):
    """Data2Vec with a classifier on each token."""

    base_class = Data2VecTextModel


class Data2VecTextForQuestionAnswering(Data2VecTextPreTrainedModel, roberta.RobertaForQuestionAnswering):
    """Data2Vec with scores of an answer's first and last token."""

    base_class = Data2VecTextModel
