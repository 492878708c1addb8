"""mBART: BART with norms before each block, and at the end of each stack, for many languages."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.nn.layer import PreNormLayer
from zoo_text.bart import model as bart
from zoo_text.mbart.config import MBartConfig


class MBartPreTrainedModel(bart.BartPreTrainedModel):
    """What all mBART classes share."""

    config_class = MBartConfig


def shift_language_right(ids: Tensor, pad_token_id: int | None) -> Tensor:
    """Ids (batch, sequence) with each row's last token, its language, moved to the front."""
    if pad_token_id is None:
        raise ValueError("config.pad_token_id is None; set it, or pass decoder_input_ids instead of labels")
    ids = ids.masked_fill(ids == -100, pad_token_id)
    last = (ids != pad_token_id).sum(1, keepdim=True) - 1
    shifted = ids.roll(1, dims=1)
    shifted[:, :1] = ids.gather(1, last)
    return shifted


class MBartStack(MBartPreTrainedModel, bart.BartStack):
    """mBART's encoder or decoder."""

    final_norm = True
    hub_names = {"norm": "layer_norm"}

    def make_layer(self, config: MBartConfig, layer_idx: int) -> nn.Module:
        layer = bart.seq2seq_layer(PreNormLayer, config, layer_idx, decoder=self.is_decoder)
        layer.hub_names = BART_PRE_NORM_LAYER
        return layer


class MBartModel(MBartPreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = MBartStack

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        if input_ids is None:
            return super().default_decoder_input_ids(input_ids)
        return shift_language_right(input_ids, self.config.pad_token_id)


class MBartForConditionalGeneration(MBartPreTrainedModel, bart.BartForConditionalGeneration):
    """mBART with a language modeling head; the decoder starts from the language of the target."""

    base_class = MBartModel

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        return shift_language_right(labels, self.config.pad_token_id)


class MBartForSequenceClassification(MBartPreTrainedModel, bart.BartForSequenceClassification):
    """mBART with a classifier on the last end-of-sequence token."""

    base_class = MBartModel


class MBartForQuestionAnswering(MBartPreTrainedModel, bart.BartForQuestionAnswering):
    """mBART with scores of an answer's first and last token."""

    base_class = MBartModel


class MBartForCausalLM(MBartPreTrainedModel, bart.BartForCausalLM):
    """mBART's decoder alone, with a language modeling head."""

    base_class = MBartStack
