"""PLBART: a BART for code, whose decoder starts from a token of the language."""

from __future__ import annotations

from torch import Tensor

from zoo_text.bart import model as bart
from zoo_text.mbart import model as mbart
from zoo_text.plbart.config import PLBartConfig


class PLBartPreTrainedModel(bart.BartPreTrainedModel):
    """What all PLBART classes share."""

    config_class = PLBartConfig


class PLBartStack(PLBartPreTrainedModel, bart.BartStack):
    """PLBART's encoder or decoder."""


class PLBartModel(PLBartPreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = PLBartStack

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        if input_ids is None:
            return super().default_decoder_input_ids(input_ids)
        return mbart.shift_language_right(input_ids, self.config.pad_token_id)


class PLBartForConditionalGeneration(PLBartPreTrainedModel, mbart.MBartForConditionalGeneration):
    """PLBART with a language modeling head; the decoder starts from the language of the target."""

    base_class = PLBartModel


class PLBartForSequenceClassification(PLBartPreTrainedModel, bart.BartForSequenceClassification):
    """PLBART with a classifier on the last end-of-sequence token."""

    base_class = PLBartModel


class PLBartForCausalLM(PLBartPreTrainedModel, bart.BartForCausalLM):
    """PLBART's decoder alone, with a language modeling head."""

    base_class = PLBartStack
