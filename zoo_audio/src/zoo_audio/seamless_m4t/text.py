"""The text encoder and decoder, and the text-to-unit model: pre-norm stacks as of NLLB."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_audio.seamless_m4t.config import SeamlessConfig
from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.seq2seq import Seq2SeqModel, Seq2SeqStack
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, FULL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.sinusoid import PaddedSinusoids

LAYER = {
    "input_layernorm": "self_attn_layer_norm",
    "self_attn.o_proj": "self_attn.out_proj",
    "cross_attn": "cross_attention",
    "cross_attn.o_proj": "cross_attention.out_proj",
    "cross_attn_layernorm": "cross_attention_layer_norm",
    "mlp": "ffn",
    "post_attention_layernorm": "ffn_layer_norm",
}


class TextStack(Seq2SeqStack):
    """The text encoder, or with `decoder` the decoder."""

    hub_names = {"norm": "layer_norm"}
    ignored_names = ("embed_positions.weights",)
    embedding_norm = False
    final_norm = True

    def make_positions(self, config: SeamlessConfig) -> nn.Module:
        assert config.pad_token_id is not None
        return PaddedSinusoids(config.max_position_embeddings, config.hidden_size, config.pad_token_id)

    def make_layer(self, config: SeamlessConfig, layer_idx: int) -> nn.Module:
        heads = config.decoder_attention_heads if self.is_decoder else config.encoder_attention_heads
        attention = partial(
            Attention,
            config.hidden_size,
            heads,
            dropout=config.attention_dropout,
            layer_idx=layer_idx if self.is_decoder else None,
        )
        layer = PreNormLayer(
            config.hidden_size,
            nn.LayerNorm,
            self_attn=attention(rule=CAUSAL if self.is_decoder else FULL),
            cross_attn=attention(cross=True) if self.is_decoder else None,
            mlp=MLP(
                config.hidden_size,
                config.decoder_ffn_dim if self.is_decoder else config.encoder_ffn_dim,
                config.activation_function,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.dropout,
        )
        layer.hub_names = LAYER
        return layer

    def positions(
        self, input_ids: Tensor | None, hidden: Tensor, past: int, position_ids: Tensor | None
    ) -> Tensor:
        return self.embed_positions(input_ids, past, hidden)


class UnitEncoder(TextStack):
    """Layers over the text decoder's states; there is nothing to embed."""

    main_input_name = "inputs_embeds"

    def make_embeddings(self, config: SeamlessConfig) -> nn.Module:  # type: ignore[override]
        return nn.Identity()

    def make_inputs(self, config: SeamlessConfig) -> None:
        self.dropout = nn.Dropout(config.dropout)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        if inputs_embeds is None:
            raise ValueError("pass inputs_embeds (batch, sequence, hidden), states of the text decoder")
        return self.dropout(inputs_embeds)


class TextToUnitModel(Seq2SeqModel):
    """States of the text decoder to states of units."""

    def __init__(self, config: SeamlessConfig) -> None:
        super().__init__(config)
        self.encoder = UnitEncoder(config)
        self.decoder = TextStack(config, decoder=True)
        self.post_init()


class TextToUnit(ForConditionalGeneration, PreTrainedModel):
    """States of the text decoder to scores of units of speech."""

    base_class = TextToUnitModel
    base_name = "model"
    main_input_name = "inputs_embeds"
    tied_weights = {"lm_head.weight": "model.decoder.embed_tokens.weight"}


def mask_of(lengths: Tensor, longest: int) -> Tensor:
    """Bool (batch, longest): the first so many places."""
    return torch.arange(longest, device=lengths.device) < lengths[:, None]
