"""FlauBERT: XLM for French, with norms before the blocks in the large model."""

from __future__ import annotations

from torch import nn

from zoo_text.flaubert.config import FlaubertConfig
from zoo_text.xlm import model as xlm


class FlaubertForQuestionAnsweringOutput(xlm.XLMForQuestionAnsweringOutput):
    """The likeliest answers."""


class FlaubertPreTrainedModel(xlm.XLMPreTrainedModel):
    """What all FlauBERT classes share."""

    config_class = FlaubertConfig


class FlaubertModel(FlaubertPreTrainedModel, xlm.XLMModel):
    """The encoder without a head."""

    def make_layer(self, config: FlaubertConfig, layer_idx: int) -> nn.Module:
        return xlm.XLMLayer(config, layer_idx, pre_norm=config.pre_norm)


class FlaubertWithLMHeadModel(FlaubertPreTrainedModel, xlm.XLMWithLMHeadModel):
    """FlauBERT with a language modeling head; generation fills in a masked token after the text."""

    base_class = FlaubertModel


class FlaubertForSequenceClassification(FlaubertPreTrainedModel, xlm.XLMForSequenceClassification):
    """FlauBERT with the summary as the labels' scores."""

    base_class = FlaubertModel


class FlaubertForMultipleChoice(FlaubertPreTrainedModel, xlm.XLMForMultipleChoice):
    """FlauBERT with one score for each choice."""

    base_class = FlaubertModel


class FlaubertForTokenClassification(FlaubertPreTrainedModel, xlm.XLMForTokenClassification):
    """FlauBERT with a classifier on each token."""

    base_class = FlaubertModel


class FlaubertForQuestionAnsweringSimple(FlaubertPreTrainedModel, xlm.XLMForQuestionAnsweringSimple):
    """FlauBERT with scores of an answer's first and last token."""

    base_class = FlaubertModel


class FlaubertForQuestionAnswering(FlaubertPreTrainedModel, xlm.XLMForQuestionAnswering):
    """FlauBERT with a search for the best answers."""

    base_class = FlaubertModel
    output_class = FlaubertForQuestionAnsweringOutput
