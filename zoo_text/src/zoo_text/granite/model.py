"""Granite: Llama with factors on embeddings, residual branches, attention scores and logits."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import NormFactory
from zoo_text.granite.config import GraniteConfig


class ScaledPreNormLayer(PreNormLayer):
    """x + factor attn(norm(x)), then x + factor mlp(norm(x))."""

    def __init__(self, size: int, norm: NormFactory, *, factor: float, **parts: nn.Module) -> None:
        super().__init__(size, norm, **parts)
        self.factor = factor

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = hidden + self.self_attn(self.input_layernorm(hidden), context, **attention) * self.factor
        return hidden + self.mlp(self.post_attention_layernorm(hidden)) * self.factor


class GraniteDecoder(DecoderModel):
    """A decoder of scaled layers and embeddings."""

    def make_layer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        return ScaledPreNormLayer(
            config.hidden_size,
            self.norm_of(config),
            factor=config.residual_multiplier,
            self_attn=attention_of(config, layer_idx, scale=config.attention_multiplier),
            mlp=self.make_mlp(config, layer_idx),
        )

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
