"""BigBird-Pegasus: a PEGASUS whose encoder's tokens see their neighbourhood and the first and last block."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import LearnedPositions
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.rotary import RotaryTables
from zoo_text.bart import model as bart
from zoo_text.bigbird_pegasus.config import BigBirdPegasusConfig

ENCODER_LAYER = {
    **BART_PRE_NORM_LAYER,
    "self_attn.q_proj": "self_attn.self.query",
    "self_attn.k_proj": "self_attn.self.key",
    "self_attn.v_proj": "self_attn.self.value",
    "self_attn.o_proj": "self_attn.output",
}


class BigBirdPegasusPreTrainedModel(bart.BartPreTrainedModel):
    """What all BigBird-Pegasus classes share."""

    config_class = BigBirdPegasusConfig


def block_scores(length: int, *, block: int, copies: int, device: torch.device) -> Tensor:
    """Scores (length, length) to add: -inf where the pattern of blocks hides a key.

    Outer blocks see and are seen by all, others see themselves and their neighbours. The random blocks
    of training are all the first one at inference, which inner blocks so count `copies` more times.
    """
    number = torch.arange(length, device=device) // block
    last = (length - 1) // block
    query, key = number[:, None], number
    outer = (query == 0) | (query == last)
    seen = outer | (key == 0) | (key == last) | ((query - key).abs() <= 1)
    scores = torch.zeros(length, length, device=device).masked_fill(~seen, -math.inf)
    return scores.masked_fill(~outer & (key == 0), math.log1p(copies))


class SparseAttention(Attention):
    """Attention by the pattern of blocks that the stack put into the context, if it did."""

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        query, key, value, mask = super().inputs(hidden, context, rotary)
        if "block_scores" in context.shared:
            mask = Mask(allowed=context.shared["token_pairs"], bias=context.shared["block_scores"])
        return query, key, value, mask


class BigBirdPegasusStack(BigBirdPegasusPreTrainedModel, bart.BartStack):
    """The encoder or the decoder; the encoder attends to all of inputs too short for its blocks."""

    embedding_norm = False
    final_norm = True
    hub_names = {"norm": "layernorm_embedding"}

    def make_positions(self, config: BigBirdPegasusConfig) -> nn.Module:
        return LearnedPositions(config.max_position_embeddings, config.d_model, offset=0)

    def make_layer(self, config: BigBirdPegasusConfig, layer_idx: int) -> nn.Module:
        layer = bart.seq2seq_layer(
            PreNormLayer,
            config,
            layer_idx,
            decoder=self.is_decoder,
            attention_class=Attention if self.is_decoder else SparseAttention,
            bias=config.use_bias,
        )
        layer.hub_names = BART_PRE_NORM_LAYER if self.is_decoder else ENCODER_LAYER
        return layer

    def share(self, context: AttentionContext) -> None:
        config, length = self.config, context.query_length
        shortest = (5 + 2 * config.num_random_blocks) * config.block_size
        if self.is_decoder or config.attention_type != "block_sparse" or length <= shortest:
            return
        scores = block_scores(
            length, block=config.block_size, copies=config.num_random_blocks, device=context.device
        )
        context.shared["block_scores"] = scores.to(context.dtype)[None, None]
        tokens = context.padding
        if tokens is None:
            tokens = torch.ones(context.batch, 1, 1, length, dtype=torch.bool, device=context.device)
        context.shared["token_pairs"] = tokens & tokens.transpose(-1, -2)


class BigBirdPegasusModel(BigBirdPegasusPreTrainedModel, bart.BartModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = BigBirdPegasusStack


class BigBirdPegasusForConditionalGeneration(
    BigBirdPegasusPreTrainedModel, bart.BartForConditionalGeneration
):
    """BigBird-Pegasus with a language modeling head."""

    base_class = BigBirdPegasusModel


class BigBirdPegasusForSequenceClassification(
    BigBirdPegasusPreTrainedModel, bart.BartForSequenceClassification
):
    """BigBird-Pegasus with a classifier on the last end-of-sequence token."""

    base_class = BigBirdPegasusModel


class BigBirdPegasusForQuestionAnswering(BigBirdPegasusPreTrainedModel, bart.BartForQuestionAnswering):
    """BigBird-Pegasus with scores of an answer's first and last token."""

    base_class = BigBirdPegasusModel


class BigBirdPegasusForCausalLM(BigBirdPegasusPreTrainedModel, bart.BartForCausalLM):
    """BigBird-Pegasus's decoder alone, with a language modeling head."""

    base_class = BigBirdPegasusStack
