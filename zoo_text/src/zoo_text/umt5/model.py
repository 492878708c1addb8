"""UMT5: an mT5 with relative biases in every layer."""

from __future__ import annotations

from torch import nn

from zoo_text.t5 import model as t5
from zoo_text.umt5.config import UMT5Config


class UMT5PreTrainedModel(t5.T5PreTrainedModel):
    """What all UMT5 classes share."""

    config_class = UMT5Config


class UMT5Stack(UMT5PreTrainedModel, t5.T5Stack):
    """The encoder, or the decoder."""

    def make_layer(self, config: UMT5Config, layer_idx: int) -> nn.Module:
        layer = t5.T5Layer(config, layer_idx, decoder=self.is_decoder)
        if layer_idx:
            layer.self_attn.relative_attention_bias = t5.relative_bias(config, decoder=self.is_decoder)
        return layer


class UMT5Model(UMT5PreTrainedModel, t5.T5Model):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = UMT5Stack


class UMT5EncoderModel(UMT5PreTrainedModel, t5.T5EncoderModel):
    """The encoder alone, under the names of the whole model."""

    stack_class = UMT5Stack


class UMT5ForConditionalGeneration(UMT5PreTrainedModel, t5.T5ForConditionalGeneration):
    """UMT5 with a language modeling head."""

    base_class = UMT5Model


class UMT5ForSequenceClassification(UMT5PreTrainedModel, t5.T5ForSequenceClassification):
    """UMT5 with a classifier on the last end-of-sequence token."""

    base_class = UMT5Model


class UMT5ForQuestionAnswering(UMT5PreTrainedModel, t5.T5ForQuestionAnswering):
    """UMT5 with scores of an answer's first and last token."""

    base_class = UMT5Model


class UMT5ForTokenClassification(UMT5PreTrainedModel, t5.T5ForTokenClassification):
    """UMT5's encoder with a classifier on each token."""

    base_class = UMT5EncoderModel
