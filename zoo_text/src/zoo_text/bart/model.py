"""BART: a post-norm encoder and decoder with learned positions."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.seq2seq import (
    BiasedForConditionalGeneration,
    ForSeq2SeqQuestionAnswering,
    ForSeq2SeqSequenceClassification,
)
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions
from zoo_core.modeling.seq2seq import Seq2SeqModel, Seq2SeqStack, shift_tokens_right
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import LearnedPositions
from zoo_core.nn.layer import PostNormLayer, PreNormLayer
from zoo_core.nn.masks import CAUSAL, FULL
from zoo_core.nn.mlp import MLP
from zoo_text.bart.config import BartConfig


class BartPreTrainedModel(PreTrainedModel):
    """What all BART classes share."""

    config_class = BartConfig
    base_model_prefix = "model"
    ignored_names = ("encoder.version", "decoder.version")


def seq2seq_layer(
    wiring: type[PostNormLayer | PreNormLayer],
    config: BartConfig,
    layer_idx: int,
    *,
    decoder: bool,
    attention_class: type[Attention] = Attention,
    bias: bool = True,
) -> nn.Module:
    """A layer of BART's family; `wiring` says where the norms stand, `bias` goes for the attention."""
    heads = config.decoder_attention_heads if decoder else config.encoder_attention_heads
    attention = partial(
        attention_class,
        config.d_model,
        heads,
        bias=bias,
        dropout=config.attention_dropout,
        layer_idx=layer_idx,
    )
    return wiring(
        config.d_model,
        nn.LayerNorm,
        self_attn=attention(rule=CAUSAL if decoder else FULL),
        cross_attn=attention(cross=True) if decoder else None,
        mlp=MLP(
            config.d_model,
            config.decoder_ffn_dim if decoder else config.encoder_ffn_dim,
            config.activation_function,
            activation_dropout=config.activation_dropout,
        ),
        dropout=config.dropout,
    )


class BartStack(Seq2SeqStack, BartPreTrainedModel):
    """BART's encoder or decoder."""

    attention_class: ClassVar[type[Attention]] = Attention

    def make_positions(self, config: BartConfig) -> nn.Module:
        return LearnedPositions(config.max_position_embeddings, config.d_model, offset=2)

    def make_layer(self, config: BartConfig, layer_idx: int) -> nn.Module:
        layer = seq2seq_layer(
            PostNormLayer,
            config,
            layer_idx,
            decoder=self.is_decoder,
            attention_class=self.attention_class,
        )
        layer.hub_names = BART_LAYER
        return layer


class BartModel(Seq2SeqModel, BartPreTrainedModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class: ClassVar[type[BartStack]] = BartStack
    encoder_class: ClassVar[type[BartStack] | None] = None  # where the encoder is of another kind

    def __init__(self, config: BartConfig) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model, padding_idx=config.pad_token_id)
        self.encoder = (self.encoder_class or self.stack_class)(config)
        self.decoder = self.stack_class(config, decoder=True)
        self.post_init()

    def default_decoder_input_ids(self, input_ids: Tensor | None) -> Tensor | None:
        if input_ids is None:
            return super().default_decoder_input_ids(input_ids)
        return shift_tokens_right(input_ids, self.config.pad_token_id, self.config.decoder_start_token_id)


class BartForConditionalGeneration(BiasedForConditionalGeneration, BartPreTrainedModel):
    """BART with a language modeling head."""

    base_class = BartModel
    tied_weights = {"lm_head.weight": "model.shared.weight"}


class BartForSequenceClassification(ForSeq2SeqSequenceClassification, BartPreTrainedModel):
    """BART with a classifier on the last end-of-sequence token."""

    base_class = BartModel


class BartForQuestionAnswering(ForSeq2SeqQuestionAnswering, BartPreTrainedModel):
    """BART with scores of an answer's first and last token."""

    base_class = BartModel


class BartForCausalLM(ForCausalLM, BartPreTrainedModel):
    """BART's decoder alone, with a language modeling head; it may attend to given encoder states."""

    base_class = BartStack
    base_options = {"decoder": True}
    base_name = "model.decoder"
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}
    output_class = CausalLMOutputWithCrossAttentions
    shift_labels = False
    aliases = {"model.shared.weight": "model.decoder.embed_tokens.weight"}  # a file of the whole model
    counted_tokens = "following"
