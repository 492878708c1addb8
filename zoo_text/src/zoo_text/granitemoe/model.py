"""Granite MoE: Granite with a mixture of experts in every layer."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.granite.model import GraniteDecoder, ScaledLogits
from zoo_text.granitemoe.config import GraniteMoeConfig


class GraniteMoeDecoder(GraniteDecoder):
    """Granite's layers with experts; gate and up projections lie in one matrix in files."""

    output_class = MoeModelOutputWithPast
    hub_names = {
        "layers.*.mlp": "layers.*.block_sparse_moe",
        "layers.*.mlp.router": "layers.*.block_sparse_moe.router.layer",
        ("layers.*.mlp.experts.gate_proj", "layers.*.mlp.experts.up_proj"): Fused(
            "layers.*.block_sparse_moe.input_linear.weight", dim=1
        ),
        "layers.*.mlp.experts.down_proj": "layers.*.block_sparse_moe.output_linear.weight",
    }

    def make_mlp(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        size, experts = config.hidden_size, config.num_local_experts
        return MixtureOfExperts(
            Router(size, experts, config.num_experts_per_tok, softmax_after=True),
            Experts(experts, size, config.intermediate_size, config.hidden_act),
        )

    def make_rotary(self, config: PretrainedConfig) -> Mapping[str, RotaryEmbedding]:
        return super().make_rotary(config) if config.position_embedding_type == "rope" else {}


class MoeScaledLogits(ScaledLogits, ForMoeCausalLM):
    """Scores that are divided, and the load-balancing loss."""


class GraniteMoePreTrainedModel(PreTrainedModel):
    """What all Granite MoE classes share."""

    config_class = GraniteMoeConfig
    base_model_prefix = "model"


class GraniteMoeModel(GraniteMoePreTrainedModel, GraniteMoeDecoder):
    """The decoder without a head."""


class GraniteMoeForCausalLM(MoeScaledLogits, GraniteMoePreTrainedModel):
    """Granite 3 MoE with a language modeling head."""

    base_class = GraniteMoeModel
