"""mT5: a T5 with gated blocks, trained on a hundred languages; its head is not tied."""

from __future__ import annotations

from zoo_text.mt5.config import MT5Config
from zoo_text.t5 import model as t5


class MT5PreTrainedModel(t5.T5PreTrainedModel):
    """What all mT5 classes share."""

    config_class = MT5Config


class MT5Model(MT5PreTrainedModel, t5.T5Model):
    """Encoder and decoder with one table of token embeddings."""


class MT5EncoderModel(MT5PreTrainedModel, t5.T5EncoderModel):
    """The encoder alone, under the names of the whole model."""


class MT5ForConditionalGeneration(MT5PreTrainedModel, t5.T5ForConditionalGeneration):
    """mT5 with a language modeling head."""

    base_class = MT5Model


class MT5ForSequenceClassification(MT5PreTrainedModel, t5.T5ForSequenceClassification):
    """mT5 with a classifier on the last end-of-sequence token."""

    base_class = MT5Model


class MT5ForQuestionAnswering(MT5PreTrainedModel, t5.T5ForQuestionAnswering):
    """mT5 with scores of an answer's first and last token."""

    base_class = MT5Model


class MT5ForTokenClassification(MT5PreTrainedModel, t5.T5ForTokenClassification):
    """mT5's encoder with a classifier on each token."""

    base_class = MT5EncoderModel
