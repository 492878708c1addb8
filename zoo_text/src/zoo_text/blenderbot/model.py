"""Blenderbot: a pre-norm BART for dialogue."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.embeddings import LearnedPositions
from zoo_text.bart import model as bart
from zoo_text.blenderbot.config import BlenderbotConfig
from zoo_text.mbart.model import MBartStack


class BlenderbotPreTrainedModel(bart.BartPreTrainedModel):
    """What all Blenderbot classes share."""

    config_class = BlenderbotConfig


class BlenderbotStack(BlenderbotPreTrainedModel, MBartStack):
    """Blenderbot's encoder or decoder."""

    embedding_norm = False

    def make_positions(self, config: BlenderbotConfig) -> nn.Module:
        return LearnedPositions(config.max_position_embeddings, config.d_model)


class BlenderbotModel(BlenderbotPreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = BlenderbotStack

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        return Seq2SeqModel.default_decoder_input_ids(self, input_ids)


class BlenderbotForConditionalGeneration(BlenderbotPreTrainedModel, bart.BartForConditionalGeneration):
    """Blenderbot with a language modeling head."""

    base_class = BlenderbotModel


class BlenderbotForCausalLM(BlenderbotPreTrainedModel, bart.BartForCausalLM):
    """Blenderbot's decoder alone, with a language modeling head."""

    base_class = BlenderbotStack
