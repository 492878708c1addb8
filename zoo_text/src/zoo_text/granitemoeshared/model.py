"""Granite MoE with an MLP that every token visits beside the experts."""

from __future__ import annotations

from torch import nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import GatedMLP
from zoo_text.granitemoe.model import GraniteMoeDecoder, MoeScaledLogits
from zoo_text.granitemoeshared.config import GraniteMoeSharedConfig


class GraniteMoeSharedPreTrainedModel(PreTrainedModel):
    """What all classes of Granite MoE with shared experts share."""

    config_class = GraniteMoeSharedConfig
    base_model_prefix = "model"


class GraniteMoeSharedModel(GraniteMoeSharedPreTrainedModel, GraniteMoeDecoder):
    """The decoder without a head."""

    hub_names = {
        **GraniteMoeDecoder.hub_names,
        ("layers.*.mlp.shared_experts.gate_proj", "layers.*.mlp.shared_experts.up_proj"): Fused(
            "layers.*.shared_mlp.input_linear"
        ),
        "layers.*.mlp.shared_experts.down_proj": "layers.*.shared_mlp.output_linear",
    }

    def make_mlp(self, config: GraniteMoeSharedConfig, layer_idx: int) -> nn.Module:
        mixture, width = super().make_mlp(config, layer_idx), config.shared_intermediate_size
        if width:
            mixture.shared_experts = GatedMLP(config.hidden_size, width, config.hidden_act)
        return mixture


class GraniteMoeSharedForCausalLM(MoeScaledLogits, GraniteMoeSharedPreTrainedModel):
    """Granite MoE with shared experts with a language modeling head."""

    base_class = GraniteMoeSharedModel
