"""Qwen2-MoE: Qwen2 with routed experts and one that a gate of its own weighs."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import EXPERTS
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, layer_rule
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_text.qwen2_moe.config import Qwen2MoeConfig


class GatedExpert(GatedMLP):
    """An expert that every token visits, weighed by a sigmoid."""

    def __init__(self, hidden_size: int, intermediate_size: int, act: str) -> None:
        super().__init__(hidden_size, intermediate_size, act)
        self.gate = nn.Linear(hidden_size, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.gate(x).sigmoid() * super().forward(x)


class SparseMoE(MixtureOfExperts):
    """Experts under the names of Qwen."""

    hub_names = EXPERTS | {"shared_experts": "shared_expert", "shared_experts.gate": "shared_expert_gate"}

    def __init__(self, config: PretrainedConfig, shared: nn.Module | None = None) -> None:
        size, width, number = config.hidden_size, config.moe_intermediate_size, config.num_experts
        router = Router(size, number, config.num_experts_per_tok, normalize=config.norm_topk_prob)
        super().__init__(router, Experts(number, size, width, config.hidden_act), shared)


def is_sparse(config: PretrainedConfig, layer_idx: int) -> bool:
    """Whether a layer has experts rather than one MLP."""
    in_step = config.num_experts > 0 and (layer_idx + 1) % config.decoder_sparse_step == 0
    return in_step and layer_idx not in config.mlp_only_layers


class Qwen2MoePreTrainedModel(PreTrainedModel):
    """What all Qwen2-MoE classes share."""

    config_class = Qwen2MoeConfig
    base_model_prefix = "model"


class Qwen2MoeModel(Qwen2MoePreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    def make_attention(self, config: Qwen2MoeConfig, layer_idx: int) -> nn.Module:
        rule = layer_rule(config, layer_idx)
        return attention_of(config, layer_idx, bias=config.qkv_bias, out_bias=False, rule=rule)

    def make_mlp(self, config: Qwen2MoeConfig, layer_idx: int) -> nn.Module:
        if not is_sparse(config, layer_idx):
            return super().make_mlp(config, layer_idx)
        width = config.shared_expert_intermediate_size
        return SparseMoE(config, GatedExpert(config.hidden_size, width, config.hidden_act))


class Qwen2MoeForCausalLM(ForMoeCausalLM, Qwen2MoePreTrainedModel):
    """Qwen2-MoE with a language modeling head."""

    base_class = Qwen2MoeModel


class Qwen2MoeForSequenceClassification(ForLastTokenClassification, Qwen2MoePreTrainedModel):
    """Qwen2-MoE with a classifier on the last token."""

    base_class = Qwen2MoeModel


class Qwen2MoeForTokenClassification(ForTokenClassification, Qwen2MoePreTrainedModel):
    """Qwen2-MoE with a classifier on each token."""

    base_class = Qwen2MoeModel
    head_names = {"classifier": "score"}


class Qwen2MoeForQuestionAnswering(ForQuestionAnswering, Qwen2MoePreTrainedModel):
    """Qwen2-MoE with scores of an answer's first and last token."""

    base_class = Qwen2MoeModel
