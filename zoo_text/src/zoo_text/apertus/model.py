"""Apertus: Llama with norms of queries and keys and an ungated MLP of xIELU."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import MLP
from zoo_text.apertus.config import ApertusConfig


class XIELU(nn.Module):
    """A quadratic above zero, an integrated ELU below, each with a learned weight.

    The activation of https://arxiv.org/abs/2411.13010. Its weights are bfloat16 in training and in files,
    whatever the rest of the model is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.alpha_p = nn.Parameter(torch.empty(1))
        self.alpha_n = nn.Parameter(torch.empty(1))
        self.register_buffer("beta", torch.tensor(0.5))
        self.register_buffer("eps", torch.tensor(-1e-6))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.alpha_p, math.log(math.expm1(0.8)))
        nn.init.constant_(self.alpha_n, math.log(math.expm1(0.8 - 0.5)))
        nn.init.constant_(self.get_buffer("beta"), 0.5)
        nn.init.constant_(self.get_buffer("eps"), -1e-6)

    def forward(self, x: Tensor) -> Tensor:
        beta, eps = self.get_buffer("beta").bfloat16(), self.get_buffer("eps").to(x)
        above = F.softplus(self.alpha_p.bfloat16())
        below = beta + F.softplus(self.alpha_n.bfloat16())
        negative = (torch.expm1(torch.minimum(x, eps)) - x) * below
        return torch.where(x > 0, above * x * x, negative) + beta * x


class ApertusPreTrainedModel(PreTrainedModel):
    """What all Apertus classes share."""

    config_class = ApertusConfig
    base_model_prefix = "model"


class ApertusModel(ApertusPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {
        "layers.*.input_layernorm": "layers.*.attention_layernorm",
        "layers.*.post_attention_layernorm": "layers.*.feedforward_layernorm",
        "layers.*.mlp.fc1": "layers.*.mlp.up_proj",
        "layers.*.mlp.fc2": "layers.*.mlp.down_proj",
        "layers.*.mlp.act": "layers.*.mlp.act_fn",
    }

    def make_attention(self, config: ApertusConfig, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, qk_norm=self.norm_of(config))

    def make_mlp(self, config: ApertusConfig, layer_idx: int) -> nn.Module:
        act = XIELU() if config.hidden_act == "xielu" else config.hidden_act
        return MLP(config.hidden_size, config.intermediate_size, act, bias=False)


class ApertusForCausalLM(ForCausalLM, ApertusPreTrainedModel):
    """Apertus with a language modeling head."""

    base_class = ApertusModel


class ApertusForTokenClassification(ForTokenClassification, ApertusPreTrainedModel):
    """Apertus with a classifier on each token."""

    base_class = ApertusModel
    head_names = {"classifier": "score"}
