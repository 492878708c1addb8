"""JetMoE: mixtures of experts for the MLP and for the queries and outputs of attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.attention import AttentionCore
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_core.nn.rotary import RotaryTables
from zoo_text.jetmoe.config import JetMoeConfig


class MixtureOfAttention(AttentionCore):
    """Each token's experts give it queries and map back what they attended to; keys are shared.

    A token has one group of query heads for each of its `num_experts_per_tok` experts.
    """

    rule = CAUSAL
    hub_names = {
        "router": "experts.router.layer",
        "input_proj": "experts.input_linear.weight",
        "output_proj": "experts.output_linear.weight",
        "bias": "experts.bias",
    }

    def __init__(self, config: JetMoeConfig, layer_idx: int) -> None:
        super().__init__()
        size, experts, self.top_k = config.hidden_size, config.num_local_experts, config.num_experts_per_tok
        self.head_dim, self.layer_idx = config.kv_channels, layer_idx
        self.scale, self.dropout = self.head_dim**-0.5, config.attention_dropout
        width = self.head_dim * config.num_key_value_heads
        self.router = Router(size, experts, self.top_k, softmax_after=True)
        self.input_proj = nn.Parameter(torch.empty(experts, width, size))
        self.output_proj = nn.Parameter(torch.empty(experts, size, width))
        self.bias = nn.Parameter(torch.zeros(size))
        self.kv_proj = nn.Linear(size, 2 * width, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.input_proj, std=0.01)
        nn.init.normal_(self.output_proj, std=0.01)
        nn.init.zeros_(self.bias)

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, rotary: RotaryTables | None = None
    ) -> Tensor:
        assert rotary is not None
        tokens = hidden.flatten(0, 1)
        index, weight = self.router(tokens)
        places = [(number, *torch.where(index == number)) for number in index.unique().tolist()]
        query = tokens.new_empty(*index.shape, self.input_proj.shape[1])
        for number, row, choice in places:
            query[row, choice] = F.linear(tokens[row], self.input_proj[number])
        query = query.view(*hidden.shape[:2], -1, self.head_dim).transpose(1, 2)
        key, value = self.kv_proj(hidden).chunk(2, dim=-1)
        key, value = (x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for x in (key, value))
        key, value, mask = self.remember(rotary(key), value, context)
        key, value = (x.repeat(1, self.top_k, 1, 1) for x in (key, value))
        attended = self.attend(rotary(query), key, value, mask).transpose(1, 2).reshape(*index.shape, -1)
        mixed = torch.zeros_like(tokens)
        for number, row, choice in places:
            answer = F.linear(attended[row, choice], self.output_proj[number])
            mixed.index_add_(0, row, answer * weight[row, choice, None])
        return mixed.view_as(hidden) + self.bias


class JetMoeMLP(MixtureOfExperts):
    """Gated experts and one bias on their sum."""

    hub_names = {
        "router": "router.layer",
        ("experts.gate_proj", "experts.up_proj"): Fused("input_linear.weight", dim=1),
        "experts.down_proj": "output_linear.weight",
    }

    def __init__(self, config: JetMoeConfig) -> None:
        size, experts = config.hidden_size, config.num_local_experts
        super().__init__(
            Router(size, experts, config.num_experts_per_tok, softmax_after=True),
            Experts(experts, size, config.intermediate_size, config.activation_function),
        )
        self.bias = nn.Parameter(torch.zeros(size))

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        return super().forward(hidden) + self.bias


class JetMoePreTrainedModel(PreTrainedModel):
    """What all JetMoE classes share."""

    config_class = JetMoeConfig
    base_model_prefix = "model"


class JetMoeModel(JetMoePreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast
    hub_names = {"layers.*.self_attn": "layers.*.self_attention"}

    def make_attention(self, config: JetMoeConfig, layer_idx: int) -> nn.Module:
        return MixtureOfAttention(config, layer_idx)

    def make_mlp(self, config: JetMoeConfig, layer_idx: int) -> nn.Module:
        return JetMoeMLP(config)


class JetMoeForCausalLM(ForMoeCausalLM, JetMoePreTrainedModel):
    """JetMoE with a language modeling head."""

    base_class = JetMoeModel


class JetMoeForSequenceClassification(ForLastTokenClassification, JetMoePreTrainedModel):
    """JetMoE with a classifier on the last token."""

    base_class = JetMoeModel
