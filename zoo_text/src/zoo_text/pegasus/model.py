"""PEGASUS: a pre-norm BART with sinusoidal positions, trained to write left-out sentences."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.sinusoid import SinusoidalTable
from zoo_text.bart import model as bart
from zoo_text.mbart.model import MBartStack
from zoo_text.pegasus.config import PegasusConfig


class PegasusPreTrainedModel(bart.BartPreTrainedModel):
    """What all PEGASUS classes share."""

    config_class = PegasusConfig


class PegasusStack(PegasusPreTrainedModel, MBartStack):
    """PEGASUS's encoder or decoder."""

    embedding_norm = False

    def make_positions(self, config: PegasusConfig) -> nn.Module:
        return SinusoidalTable(config.max_position_embeddings, config.d_model)


class PegasusModel(PegasusPreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = PegasusStack

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        return Seq2SeqModel.default_decoder_input_ids(self, input_ids)


class PegasusForConditionalGeneration(PegasusPreTrainedModel, bart.BartForConditionalGeneration):
    """PEGASUS with a language modeling head."""

    base_class = PegasusModel


class PegasusForCausalLM(PegasusPreTrainedModel, bart.BartForCausalLM):
    """PEGASUS's decoder alone, with a language modeling head."""

    base_class = PegasusStack
