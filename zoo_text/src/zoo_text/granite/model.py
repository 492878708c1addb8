"""Granite: Llama with factors on embeddings, residual branches, attention scores and logits."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import RMSNorm
from zoo_text.granite.config import GraniteConfig


class ScaledPreNormLayer(PreNormLayer):
    """x + factor attn(norm(x)), then x + factor mlp(norm(x))."""

    def __init__(self, config: PretrainedConfig, *, self_attn: nn.Module, mlp: nn.Module) -> None:
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        super().__init__(config.hidden_size, norm, self_attn=self_attn, mlp=mlp)
        self.factor = config.residual_multiplier

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), context, **attention) * self.factor
        return hidden + self.mlp(self.post_attention_layernorm(hidden)) * self.factor


class GraniteDecoder(DecoderModel):
    """A decoder of scaled layers and embeddings; a subclass chooses the MLP."""

    def make_mlp(self, config: PretrainedConfig) -> nn.Module:
        """The feed-forward part of a layer."""
        return gated_mlp_of(config)

    def make_layer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        attention = attention_of(config, layer_idx, scale=config.attention_multiplier)
        return ScaledPreNormLayer(config, self_attn=attention, mlp=self.make_mlp(config))

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = super().embed(input_ids, inputs_embeds, position_ids, past)
        return hidden * self.config.embedding_multiplier


class ScaledLogits(ForCausalLM):
    """A language modeling head whose scores are divided."""

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(hidden) / self.config.logits_scaling


class GranitePreTrainedModel(PreTrainedModel):
    """What all Granite classes share."""

    config_class = GraniteConfig
    base_model_prefix = "model"


class GraniteModel(GranitePreTrainedModel, GraniteDecoder):
    """The decoder without a head."""


class GraniteForCausalLM(ScaledLogits, GranitePreTrainedModel):
    """Granite 3 with a language modeling head."""

    base_class = GraniteModel
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}
