"""Phi: attention and MLP side by side after one norm, with biases and partial rotary positions."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import ParallelLayer
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_text.phi.config import PhiConfig


class PhiPreTrainedModel(PreTrainedModel):
    """What all Phi classes share."""

    config_class = PhiConfig
    base_model_prefix = "model"


class PhiModel(PhiPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    layer_class = ParallelLayer
    hub_names = {
        "layers.*.self_attn.o_proj": "layers.*.self_attn.dense",
        "layers.*.self_attn.q_norm": "layers.*.self_attn.q_layernorm",
        "layers.*.self_attn.k_norm": "layers.*.self_attn.k_layernorm",
        "norm": "final_layernorm",
    }

    def make_attention(self, config: PhiConfig, layer_idx: int) -> nn.Module:
        norm = self.norm_of(config) if config.qk_layernorm else None
        return attention_of(config, layer_idx, bias=True, qk_norm=norm)

    def make_mlp(self, config: PhiConfig, layer_idx: int) -> nn.Module:
        return MLP(config.hidden_size, config.intermediate_size, config.hidden_act)

    def norm_of(self, config: PhiConfig) -> NormFactory:
        return partial(nn.LayerNorm, eps=config.layer_norm_eps)

    def layer_options(self, config: PhiConfig) -> dict[str, Any]:
        return {"dropout": config.resid_pdrop}

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = super().embed(input_ids, inputs_embeds, position_ids, past)
        return F.dropout(hidden, self.config.embd_pdrop, self.training)


class PhiForCausalLM(ForCausalLM, PhiPreTrainedModel):
    """Phi with a language modeling head."""

    base_class = PhiModel

    def make_lm_head(self, config: PhiConfig) -> nn.Linear:
        return nn.Linear(config.hidden_size, config.vocab_size)


class PhiForSequenceClassification(ForLastTokenClassification, PhiPreTrainedModel):
    """Phi with a classifier on the last token."""

    base_class = PhiModel


class PhiForTokenClassification(ForTokenClassification, PhiPreTrainedModel):
    """Phi with a classifier on each token."""

    base_class = PhiModel
    head_names = {"classifier": "score"}
