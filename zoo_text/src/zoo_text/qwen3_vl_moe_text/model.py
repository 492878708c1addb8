"""Qwen3-VL-MoE's language model: Qwen3-VL's with experts."""

from __future__ import annotations

from torch import nn

from zoo_core.checkpoint.ops import Fused, Transposed
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_text.qwen2_moe.model import is_sparse
from zoo_text.qwen3_vl_moe_text.config import Qwen3VLMoeTextConfig
from zoo_text.qwen3_vl_text.model import DeepStackDecoder


class StackedMoE(MixtureOfExperts):
    """Experts that are stacked in files too, input features first, gate and up in one matrix."""

    hub_names = {
        "router": "gate",
        ("experts.gate_proj", "experts.up_proj"): Fused(Transposed("experts.gate_up_proj"), dim=1),
        "experts.down_proj": Transposed("experts.down_proj"),
    }

    def __init__(self, config: PretrainedConfig) -> None:
        size, width, number = config.hidden_size, config.moe_intermediate_size, config.num_experts
        router = Router(size, number, config.num_experts_per_tok, normalize=True)
        super().__init__(router, Experts(number, size, width, config.hidden_act))


class Qwen3VLMoeTextPreTrainedModel(PreTrainedModel):
    """What all Qwen3-VL-MoE's language model classes share."""

    config_class = Qwen3VLMoeTextConfig
    base_model_prefix = "model"


class Qwen3VLMoeTextModel(Qwen3VLMoeTextPreTrainedModel, DeepStackDecoder):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    def make_mlp(self, config: Qwen3VLMoeTextConfig, layer_idx: int) -> nn.Module:
        return StackedMoE(config) if is_sparse(config, layer_idx) else super().make_mlp(config, layer_idx)
