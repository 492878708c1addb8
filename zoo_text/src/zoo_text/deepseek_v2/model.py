"""DeepSeek-V2: latent attention, and experts chosen by softmax from the best groups."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import EXPERTS
from zoo_core.checkpoint.ops import Stacked
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, gated_mlp_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.latent_attention import LatentAttention
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.deepseek_v2.config import DeepseekV2Config
from zoo_text.deepseek_v3.model import latent_options


class GroupLimitedRouter(Router):
    """Softmax over all experts, then the best of those in the best groups; a group counts by its best.

    Scores are computed in float32.
    """

    def __init__(self, hidden_size: int, num_experts: int, top_k: int, *, config: DeepseekV2Config) -> None:
        super().__init__(hidden_size, num_experts, top_k, scaling=config.routed_scaling_factor)
        limited = config.topk_method == "group_limited_greedy"
        self.groups, self.top_groups = (config.n_group, config.topk_group) if limited else (1, 1)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return self.choose(F.linear(tokens.float(), self.weight.float()))

    def choose(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        scores = logits.softmax(-1, dtype=torch.float32)
        grouped = scores.unflatten(-1, (self.groups, -1))
        best = grouped.amax(-1).topk(self.top_groups, dim=-1, sorted=False).indices
        eligible = torch.zeros_like(grouped[..., 0], dtype=torch.bool).scatter(-1, best, True)
        scores = grouped.masked_fill(~eligible[..., None], 0.0).flatten(-2)
        weight, index = scores.topk(self.top_k, sorted=False)
        return index, weight * self.scaling


class BiasedExperts(Experts):
    """Experts whose projections have biases."""

    def __init__(self, num_experts: int, hidden_size: int, intermediate_size: int, act: str) -> None:
        super().__init__(num_experts, hidden_size, intermediate_size, act)
        self.gate_proj_bias = nn.Parameter(torch.empty(num_experts, intermediate_size))
        self.up_proj_bias = nn.Parameter(torch.empty(num_experts, intermediate_size))
        self.down_proj_bias = nn.Parameter(torch.empty(num_experts, hidden_size))
        self.reset_parameters()

    def expert(self, number: int, tokens: Tensor) -> Tensor:
        gate = F.linear(tokens, self.gate_proj[number], self.gate_proj_bias[number])
        up = F.linear(tokens, self.up_proj[number], self.up_proj_bias[number])
        return F.linear(self.act(gate) * up, self.down_proj[number], self.down_proj_bias[number])


class DeepseekV2MoE(MixtureOfExperts):
    """Routed experts and shared ones."""

    hub_names = EXPERTS | {
        f"experts.{part}_bias": Stacked(f"experts.*.{part}.bias")
        for part in ("gate_proj", "up_proj", "down_proj")
    }

    def __init__(self, config: DeepseekV2Config) -> None:
        size, width, experts = config.hidden_size, config.moe_intermediate_size, config.n_routed_experts
        router = GroupLimitedRouter(size, experts, config.num_experts_per_tok, config=config)
        kind = BiasedExperts if config.mlp_bias else Experts
        shared = GatedMLP(
            size, width * (config.n_shared_experts or 0), config.hidden_act, bias=config.mlp_bias
        )
        super().__init__(router, kind(experts, size, width, config.hidden_act), shared)


class DeepseekV2PreTrainedModel(PreTrainedModel):
    """What all DeepSeek-V2 classes share."""

    config_class = DeepseekV2Config
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq",)


class DeepseekV2Model(DeepseekV2PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: DeepseekV2Config, layer_idx: int) -> nn.Module:
        return LatentAttention(**latent_options(config, layer_idx))

    def make_mlp(self, config: DeepseekV2Config, layer_idx: int) -> nn.Module:
        return gated_mlp_of(config) if layer_idx < config.first_k_dense_replace else DeepseekV2MoE(config)

    def make_rotary(self, config: DeepseekV2Config) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, interleaved=True, float32=True)}


class DeepseekV2ForCausalLM(ForCausalLM, DeepseekV2PreTrainedModel):
    """DeepSeek-V2 with a language modeling head."""

    base_class = DeepseekV2Model


class DeepseekV2ForSequenceClassification(ForLastTokenClassification, DeepseekV2PreTrainedModel):
    """DeepSeek-V2 with a classifier on the last token."""

    base_class = DeepseekV2Model
