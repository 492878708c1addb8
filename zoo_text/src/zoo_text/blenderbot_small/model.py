"""Blenderbot small: a BART for dialogue, whose decoder adds positions after the norm."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_text.bart import model as bart
from zoo_text.blenderbot_small.config import BlenderbotSmallConfig


class BlenderbotSmallPreTrainedModel(bart.BartPreTrainedModel):
    """What all classes of the small Blenderbot share."""

    config_class = BlenderbotSmallConfig


class BlenderbotSmallStack(BlenderbotSmallPreTrainedModel, bart.BartStack):
    """The encoder or decoder."""

    def make_positions(self, config: BlenderbotSmallConfig) -> nn.Module:
        return LearnedPositions(config.max_position_embeddings, config.d_model)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        if not self.is_decoder:
            return super().embed(input_ids, inputs_embeds, position_ids, past)
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds) * self.embed_scale
        normed = self.layernorm_embedding(hidden)
        return self.dropout(normed + self.positions(input_ids, hidden, past, position_ids))


class BlenderbotSmallModel(BlenderbotSmallPreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = BlenderbotSmallStack

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        return Seq2SeqModel.default_decoder_input_ids(self, input_ids)


class BlenderbotSmallForConditionalGeneration(
    BlenderbotSmallPreTrainedModel, bart.BartForConditionalGeneration
):
    """The small Blenderbot with a language modeling head."""

    base_class = BlenderbotSmallModel


class BlenderbotSmallForCausalLM(BlenderbotSmallPreTrainedModel, bart.BartForCausalLM):
    """The small Blenderbot's decoder alone, with a language modeling head."""

    base_class = BlenderbotSmallStack
