"""ERNIE 4.5 MoE: softmax routing, chosen with a correction that balances load."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Reshaped, Stacked
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.ernie4_5_moe.config import Ernie4_5_MoeConfig


class CorrectedRouter(Router):
    """The best `top_k` of softmax plus a correction; the weights are softmax alone, scaled to sum to one."""

    def __init__(self, config: Ernie4_5_MoeConfig) -> None:
        super().__init__(config.hidden_size, config.moe_num_experts, config.moe_k, float32=True)
        self.least = config.moe_norm_min
        self.register_buffer("e_score_correction_bias", torch.zeros(config.moe_num_experts))

    def choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        scores = logits.softmax(-1)
        index = (scores + self.get_buffer("e_score_correction_bias")).topk(self.top_k, dim=-1).indices
        weight = scores.gather(-1, index)
        return index, weight / weight.sum(-1, keepdim=True).clamp(min=self.least)


class BiasedExperts(Experts):
    """Gated MLPs with biases."""

    def __init__(self, num_experts: int, hidden_size: int, intermediate_size: int, act: str) -> None:
        super().__init__(num_experts, hidden_size, intermediate_size, act)
        self.gate_proj_bias = nn.Parameter(torch.zeros(num_experts, intermediate_size))
        self.up_proj_bias = nn.Parameter(torch.zeros(num_experts, intermediate_size))
        self.down_proj_bias = nn.Parameter(torch.zeros(num_experts, hidden_size))

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        gate = F.linear(tokens, self.gate_proj[number], self.gate_proj_bias[number])
        up = F.linear(tokens, self.up_proj[number], self.up_proj_bias[number])
        return F.linear(self.act(gate) * up, self.down_proj[number], self.down_proj_bias[number])


class Ernie4_5_MoeSparseBlock(MixtureOfExperts):
    """Routed experts and, as one MLP, the shared ones."""

    def __init__(self, config: Ernie4_5_MoeConfig) -> None:
        size, width, bias = config.hidden_size, config.moe_intermediate_size, config.use_bias
        shared = width * config.moe_num_shared_experts
        kind = BiasedExperts if bias else Experts
        super().__init__(
            CorrectedRouter(config),
            kind(config.moe_num_experts, size, width, config.hidden_act),
            GatedMLP(size, shared, config.hidden_act, bias=bias) if shared else None,
        )
        parts = ("gate_proj", "up_proj", "down_proj")
        self.hub_names = {
            "router": "gate",
            "router.e_score_correction_bias": Reshaped("moe_statics.e_score_correction_bias", shape=(1, -1)),
            **{f"experts.{part}": Stacked(f"experts.*.{part}.weight") for part in parts},
            **{f"experts.{part}_bias": Stacked(f"experts.*.{part}.bias") for part in parts if bias},
        }


class Ernie4_5_MoePreTrainedModel(PreTrainedModel):
    """What all ERNIE 4.5 MoE classes share."""

    config_class = Ernie4_5_MoeConfig
    base_model_prefix = "model"
    ignored_names = ("*mtp*",)  # the multi-token prediction layers
    keep_in_float32 = ("*router.*",)


class Ernie4_5_MoeModel(Ernie4_5_MoePreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    def make_attention(self, config: Ernie4_5_MoeConfig, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, bias=config.use_bias)

    def make_mlp(self, config: Ernie4_5_MoeConfig, layer_idx: int) -> nn.Module:
        if config.is_sparse(layer_idx):
            return Ernie4_5_MoeSparseBlock(config)
        size, width = config.hidden_size, config.intermediate_size
        return GatedMLP(size, width, config.hidden_act, bias=config.use_bias)

    def make_rotary(self, config: Ernie4_5_MoeConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, interleaved=True, float32=True)}


class Ernie4_5_MoeForCausalLM(ForMoeCausalLM, Ernie4_5_MoePreTrainedModel):
    """ERNIE 4.5 MoE with a language modeling head."""

    base_class = Ernie4_5_MoeModel

    def make_lm_head(self, config: Ernie4_5_MoeConfig) -> nn.Module:
        return nn.Linear(config.hidden_size, config.vocab_size, bias=config.use_bias)
