"""Mixtral: Mistral with a mixture of experts in every layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Stacked
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_text.mixtral.config import MixtralConfig


class MixtralMoE(MixtureOfExperts):
    """Experts under Mixtral's names; training scales tokens by random factors within `jitter` of one."""

    hub_names = {
        "router": "gate",
        "experts.gate_proj": Stacked("experts.*.w1.weight"),
        "experts.up_proj": Stacked("experts.*.w3.weight"),
        "experts.down_proj": Stacked("experts.*.w2.weight"),
    }

    def __init__(self, config: PretrainedConfig, router: Router, *, jitter: float) -> None:
        experts, size = config.num_local_experts, config.hidden_size
        super().__init__(router, Experts(experts, size, config.intermediate_size, config.hidden_act))
        self.jitter = jitter

    def forward(self, hidden: Tensor) -> Tensor:
        if self.training and self.jitter:
            hidden = hidden * torch.empty_like(hidden).uniform_(1.0 - self.jitter, 1.0 + self.jitter)
        return super().forward(hidden)


class MixtralPreTrainedModel(PreTrainedModel):
    """What all Mixtral classes share."""

    config_class = MixtralConfig
    base_model_prefix = "model"


class MixtralModel(MixtralPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    hub_names = {"layers.*.mlp": "layers.*.block_sparse_moe"}

    def make_mlp(self, config: MixtralConfig, layer_idx: int) -> nn.Module:
        size, experts = config.hidden_size, config.num_local_experts
        router = Router(size, experts, config.num_experts_per_tok, normalize=True)
        return MixtralMoE(config, router, jitter=config.router_jitter_noise)


class MixtralForCausalLM(ForMoeCausalLM, MixtralPreTrainedModel):
    """Mixtral with a language modeling head."""

    base_class = MixtralModel


class MixtralForSequenceClassification(ForLastTokenClassification, MixtralPreTrainedModel):
    """Mixtral with a classifier on the last token."""

    base_class = MixtralModel


class MixtralForTokenClassification(ForTokenClassification, MixtralPreTrainedModel):
    """Mixtral with a classifier on each token."""

    base_class = MixtralModel
    head_names = {"classifier": "score"}


class MixtralForQuestionAnswering(ForQuestionAnswering, MixtralPreTrainedModel):
    """Mixtral with scores of an answer's first and last token."""

    base_class = MixtralModel
