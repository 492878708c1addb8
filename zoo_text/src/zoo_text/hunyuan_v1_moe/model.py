"""Hunyuan MoE: Hunyuan with a mixture of experts and a shared expert in every layer."""

from __future__ import annotations

from torch import nn

from zoo_core.checkpoint.dialects import EXPERTS
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_text.hunyuan_v1_dense.model import HunYuanDecoder
from zoo_text.hunyuan_v1_moe.config import HunYuanMoEV1Config


class HunYuanMoEV1Block(MixtureOfExperts):
    """Routed experts and a shared one."""

    hub_names = EXPERTS | {"router": "gate.wg", "shared_experts": "shared_mlp"}


class HunYuanMoEV1PreTrainedModel(PreTrainedModel):
    """What all Hunyuan MoE classes share."""

    config_class = HunYuanMoEV1Config
    base_model_prefix = "model"
    always_float32 = ("*router.weight",)


class HunYuanMoEV1Model(HunYuanMoEV1PreTrainedModel, HunYuanDecoder):
    """The decoder without a head."""

    def make_mlp(self, config: HunYuanMoEV1Config, layer_idx: int) -> nn.Module:
        size, width, act = config.hidden_size, config.intermediate_size, config.hidden_act
        experts, top_k = (
            number if isinstance(number, int) else number[layer_idx]
            for number in (config.num_experts, config.moe_topk)
        )
        return HunYuanMoEV1Block(
            Router(size, experts, top_k, normalize=True, float32=True),
            Experts(experts, size, width, act),
            GatedMLP(size, width, act),
        )


class HunYuanMoEV1ForCausalLM(ForCausalLM, HunYuanMoEV1PreTrainedModel):
    """Hunyuan MoE with a language modeling head."""

    base_class = HunYuanMoEV1Model


class HunYuanMoEV1ForSequenceClassification(ForLastTokenClassification, HunYuanMoEV1PreTrainedModel):
    """Hunyuan MoE with a classifier on the last token."""

    base_class = HunYuanMoEV1Model
