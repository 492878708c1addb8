"""Persimmon: layer norms, normalised queries and keys, and an ungated MLP of squared ReLU."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_text.persimmon.config import PersimmonConfig


class PersimmonPreTrainedModel(PreTrainedModel):
    """What all Persimmon classes share."""

    config_class = PersimmonConfig
    base_model_prefix = "model"


class PersimmonModel(PersimmonPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {
        "layers.*.mlp.fc1": "layers.*.mlp.dense_h_to_4h",
        "layers.*.mlp.fc2": "layers.*.mlp.dense_4h_to_h",
        "norm": "final_layernorm",
    }

    def make_attention(self, config: PersimmonConfig, layer_idx: int) -> nn.Module:
        norm = self.norm_of(config) if config.qk_layernorm else None
        heads = config.num_attention_heads
        attention = attention_of(config, layer_idx, num_kv_heads=heads, bias=True, qk_norm=norm)
        attention.hub_names = {
            ("q_proj", "k_proj", "v_proj"): Fused("query_key_value", groups=heads),
            "o_proj": "dense",
            "q_norm": "q_layernorm",
            "k_norm": "k_layernorm",
        }
        return attention

    def make_mlp(self, config: PersimmonConfig, layer_idx: int) -> nn.Module:
        return MLP(config.hidden_size, config.intermediate_size, config.hidden_act)

    def norm_of(self, config: PersimmonConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.layer_norm_eps)

    def layer_options(self, config: PersimmonConfig) -> dict[str, Any]:
        return {"dropout": config.hidden_dropout}


class PersimmonForCausalLM(ForCausalLM, PersimmonPreTrainedModel):
    """Persimmon with a language modeling head."""

    base_class = PersimmonModel


class PersimmonForSequenceClassification(ForLastTokenClassification, PersimmonPreTrainedModel):
    """Persimmon with a classifier on the last token."""

    base_class = PersimmonModel


class PersimmonForTokenClassification(ForTokenClassification, PersimmonPreTrainedModel):
    """Persimmon with a classifier on each token."""

    base_class = PersimmonModel
    head_names = {"classifier": "score"}
