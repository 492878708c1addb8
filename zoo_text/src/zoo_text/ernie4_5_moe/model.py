"""ERNIE 4.5 MoE: softmax routing, chosen with a correction that balances load."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Reshaped
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.deepseek_v2.model import BiasedExperts, DeepseekV2MoE
from zoo_text.ernie4_5_moe.config import Ernie4_5_MoeConfig


class CorrectedRouter(Router):
    """The best `top_k` of softmax plus a correction; the weights are softmax alone, scaled to sum to one.

    Args:
        least: the smallest sum of weights to divide by; None leaves them as they are.
    """

    def __init__(
        self, hidden_size: int, num_experts: int, top_k: int, *, least: float | None, scaling: float = 1.0
    ) -> None:
        super().__init__(hidden_size, num_experts, top_k, scaling=scaling, float32=True)
        self.least = least
        self.register_buffer("e_score_correction_bias", torch.zeros(num_experts))

    def choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        scores = logits.softmax(-1)
        index = (scores + self.get_buffer("e_score_correction_bias")).topk(self.top_k, dim=-1).indices
        weight = scores.gather(-1, index)
        if self.least is not None:
            weight = weight / weight.sum(-1, keepdim=True).clamp(min=self.least)
        return index, weight * self.scaling


class Ernie4_5_MoeSparseBlock(MixtureOfExperts):
    """Routed experts and, as one MLP, the shared ones."""

    hub_names = {
        **DeepseekV2MoE.hub_names,
        "router.e_score_correction_bias": Reshaped("moe_statics.e_score_correction_bias", shape=(1, -1)),
    }

    def __init__(self, config: Ernie4_5_MoeConfig) -> None:
        size, width, bias = config.hidden_size, config.moe_intermediate_size, config.use_bias
        number, shared = config.moe_num_experts, width * config.moe_num_shared_experts
        kind = BiasedExperts if bias else Experts
        super().__init__(
            CorrectedRouter(size, number, config.moe_k, least=config.moe_norm_min),
            kind(number, size, width, config.hidden_act),
            GatedMLP(size, shared, config.hidden_act, bias=bias) if shared else None,
        )


class Ernie4_5_MoePreTrainedModel(PreTrainedModel):
    """What all ERNIE 4.5 MoE classes share."""

    config_class = Ernie4_5_MoeConfig
    base_model_prefix = "model"
    ignored_names = ("*mtp*",)  # the multi-token prediction layers
    always_float32 = ("*router.*",)


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
