"""Aria's language model: Llama with a mixture of experts and shared experts in every layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import MixtureOfExperts, Router, StackedExperts
from zoo_text.aria_text.config import AriaTextConfig


class AriaTextExperts(StackedExperts):
    """Gated MLPs whose weights lie input first; gate and up are one matrix."""

    def __init__(self, config: AriaTextConfig) -> None:
        experts, size, width = config.moe_num_experts, config.hidden_size, config.intermediate_size
        super().__init__(experts)
        self.fc1 = nn.Parameter(torch.empty(experts, size, 2 * width))
        self.fc2 = nn.Parameter(torch.empty(experts, width, size))
        self.reset_parameters()

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        gate, up = (tokens @ self.fc1[number]).chunk(2, dim=-1)
        return (F.silu(gate) * up) @ self.fc2[number]


class AriaTextPreTrainedModel(PreTrainedModel):
    """What all classes of Aria's language model share."""

    config_class = AriaTextConfig
    base_model_prefix = "model"


class AriaTextModel(AriaTextPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {
        "layers.*.mlp.experts.fc1": "layers.*.mlp.experts.fc1.weight",
        "layers.*.mlp.experts.fc2": "layers.*.mlp.experts.fc2.weight",
    }

    def make_mlp(self, config: AriaTextConfig, layer_idx: int) -> nn.Module:
        size, shared = config.hidden_size, config.intermediate_size * config.moe_num_shared_experts
        return MixtureOfExperts(
            Router(size, config.moe_num_experts, config.moe_topk, softmax_after=True),
            AriaTextExperts(config),
            GatedMLP(size, shared, config.hidden_act, bias=config.mlp_bias),
        )


class AriaTextForCausalLM(ForCausalLM, AriaTextPreTrainedModel):
    """The language model of Aria with a language modeling head."""

    base_class = AriaTextModel
