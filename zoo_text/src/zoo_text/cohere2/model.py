"""Cohere 2: attention and MLP side by side; windows with rotary, full layers without positions."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import ParallelLayer
from zoo_core.nn.masks import rule_of
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.cohere.model import RoundedRotary
from zoo_text.cohere2.config import Cohere2Config


class Cohere2PreTrainedModel(PreTrainedModel):
    """What all Cohere 2 classes share."""

    config_class = Cohere2Config
    base_model_prefix = "model"


class Cohere2Model(Cohere2PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_layer(self, config: Cohere2Config, layer_idx: int) -> nn.Module:
        return ParallelLayer(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps, bias=False),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                num_kv_heads=config.num_key_value_heads,
                bias=config.attention_bias,
                dropout=config.attention_dropout,
                rule=rule_of(config.layer_types[layer_idx], window=config.sliding_window),
                layer_idx=layer_idx,
            ),
            mlp=GatedMLP(config.hidden_size, config.intermediate_size, config.hidden_act),
        )

    def make_norm(self, config: Cohere2Config) -> nn.Module:
        return nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps, bias=False)

    def make_rotary(self, config: Cohere2Config) -> dict[str, RotaryEmbedding]:
        return {"sliding_attention": rotary_of(config, kind=RoundedRotary, interleaved=True)}

    def kinds_of_rotary(self, config: Cohere2Config) -> list[str | None]:
        return list(config.layer_types)


class Cohere2ForCausalLM(ForCausalLM, Cohere2PreTrainedModel):
    """Cohere 2 with a language modeling head whose scores are scaled."""

    base_class = Cohere2Model
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(hidden) * self.config.logit_scale
