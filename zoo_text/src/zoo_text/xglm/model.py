"""XGLM: a pre-norm decoder with sinusoidal positions, for thirty languages."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.sinusoid import PaddedSinusoids
from zoo_text.gpt2.model import LM_TIE
from zoo_text.xglm.config import XGLMConfig


class XGLMPreTrainedModel(PreTrainedModel):
    """What all XGLM classes share."""

    config_class = XGLMConfig
    base_model_prefix = "model"
    ignored_names = ("embed_positions.weights", "embed_positions._float_tensor")


class XGLMModel(XGLMPreTrainedModel, GPTBody):
    """The decoder without a head."""

    hub_names = {"norm": "layer_norm"}

    def make_embeddings(self, config: XGLMConfig) -> None:
        super().make_embeddings(config)
        self.dropout = nn.Dropout(config.dropout)
        self.embed_scale = config.d_model**0.5 if config.scale_embedding else 1.0

    def embed_ids(self, ids: Tensor | None, vectors: Tensor | None) -> Tensor:
        hidden = super().embed_ids(ids, vectors)
        return hidden if vectors is not None else hidden * self.embed_scale

    def make_positions(self, config: XGLMConfig) -> nn.Module:
        assert config.pad_token_id is not None
        return PaddedSinusoids(config.max_position_embeddings, config.d_model, config.pad_token_id)

    def norm_of(self, config: XGLMConfig) -> NormFactory:
        return nn.LayerNorm

    def make_layer(self, config: XGLMConfig, layer_idx: int) -> nn.Module:
        attention = partial(
            Attention,
            config.d_model,
            config.attention_heads,
            dropout=config.attention_dropout,
            layer_idx=layer_idx,
        )
        layer = PreNormLayer(
            config.d_model,
            nn.LayerNorm,
            self_attn=attention(rule=CAUSAL),
            cross_attn=attention(cross=True) if config.add_cross_attention else None,
            mlp=MLP(
                config.d_model,
                config.ffn_dim,
                config.activation_function,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.dropout,
        )
        layer.hub_names = BART_PRE_NORM_LAYER
        return layer


class XGLMForCausalLM(ForCausalLM, XGLMPreTrainedModel):
    """XGLM with a language modeling head."""

    base_class = XGLMModel
    tied_weights = LM_TIE
    output_class = CausalLMOutputWithCrossAttentions
