"""TrOCR's decoder: BART's, with learned or sinusoidal positions and an encoder of another width."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.sinusoid import PaddedSinusoids
from zoo_multimodal.trocr.config import TrOCRConfig
from zoo_text.bart import model as bart


class TrOCRPreTrainedModel(bart.BartPreTrainedModel):
    """What all TrOCR classes share."""

    config_class = TrOCRConfig
    ignored_names = ("*decoder.version",)


class TrOCRDecoder(TrOCRPreTrainedModel, bart.BartStack):
    """The decoder without a head; with `is_decoder` in the config it can attend to an encoder."""

    def __init__(self, config: TrOCRConfig, *, decoder: bool = True, cross: bool | None = None) -> None:
        self.embedding_norm = config.layernorm_embedding
        self.crosses = config.is_decoder if cross is None else cross
        super().__init__(config, decoder=decoder)

    def make_positions(self, config: TrOCRConfig) -> nn.Module:
        if config.use_learned_position_embeddings:
            return super().make_positions(config)
        assert config.pad_token_id is not None
        table = PaddedSinusoids(config.max_position_embeddings, config.d_model, config.pad_token_id)
        table.register_buffer("_float_tensor", torch.zeros(1))  # files hold this number, which nothing reads
        return table

    def positions(
        self, input_ids: Tensor | None, hidden: Tensor, past: int, position_ids: Tensor | None
    ) -> Tensor:
        if isinstance(self.embed_positions, PaddedSinusoids):
            return self.embed_positions(input_ids, past, hidden, position_ids=position_ids)
        return super().positions(input_ids, hidden, past, position_ids)

    def make_layer(self, config: TrOCRConfig, layer_idx: int) -> nn.Module:
        layer = bart.seq2seq_layer(PostNormLayer, config, layer_idx, decoder=True)
        layer.hub_names = BART_LAYER
        if not self.crosses:
            layer.cross_attn = layer.cross_attn_layer_norm = None
        elif config.cross_attention_hidden_size is not None:
            layer.cross_attn = Attention(
                config.d_model,
                config.decoder_attention_heads,
                dropout=config.attention_dropout,
                layer_idx=layer_idx,
                cross=True,
                kv_size=config.cross_attention_hidden_size,
            )
        return layer


class TrOCRForCausalLM(TrOCRPreTrainedModel, bart.BartForCausalLM):
    """TrOCR's decoder with a language modeling head."""

    base_class = TrOCRDecoder
    base_options: Any = {"cross": True}
    head_names = {"lm_head": "output_projection"}
