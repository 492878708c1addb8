"""Granite 4: Granite MoE with shared experts, most of whose layers have a state space for attention."""

from __future__ import annotations

from torch import nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.mlp import GatedMLP
from zoo_text.bamba.model import mixer_of
from zoo_text.granite.model import GraniteDecoder, ScaledPreNormLayer
from zoo_text.granitemoe.model import MoeScaledLogits
from zoo_text.granitemoehybrid.config import GraniteMoeHybridConfig
from zoo_text.granitemoeshared.model import GraniteMoeSharedModel


class GraniteMoeHybridPreTrainedModel(PreTrainedModel):
    """What all Granite 4 classes share."""

    config_class = GraniteMoeHybridConfig
    base_model_prefix = "model"


class HybridLayer(ScaledPreNormLayer):
    """A Granite layer with a state space for attention."""

    hub_names = {"self_attn": "mamba"}


class GraniteMoeHybridModel(GraniteMoeHybridPreTrainedModel, GraniteMoeSharedModel):
    """The decoder without a head; without experts every layer has the shared MLP alone."""

    @property
    def hub_names(self) -> dict[object, object]:  # type: ignore[override]
        if self.config.num_local_experts:
            return dict(GraniteMoeSharedModel.hub_names)
        return {
            ("layers.*.mlp.gate_proj", "layers.*.mlp.up_proj"): Fused("layers.*.shared_mlp.input_linear"),
            "layers.*.mlp.down_proj": "layers.*.shared_mlp.output_linear",
        }

    def make_mlp(self, config: GraniteMoeHybridConfig, layer_idx: int) -> nn.Module:
        if config.num_local_experts:
            return super().make_mlp(config, layer_idx)
        return GatedMLP(config.hidden_size, config.shared_intermediate_size, config.hidden_act)

    def make_layer(self, config: GraniteMoeHybridConfig, layer_idx: int) -> nn.Module:
        if (config.layer_types or [])[layer_idx] == "attention":
            return GraniteDecoder.make_layer(self, config, layer_idx)
        return HybridLayer(
            config.hidden_size,
            self.norm_of(config),
            factor=config.residual_multiplier,
            self_attn=mixer_of(config, layer_idx),
            mlp=self.make_mlp(config, layer_idx),
        )


class GraniteMoeHybridForCausalLM(MoeScaledLogits, GraniteMoeHybridPreTrainedModel):
    """Granite 4 with a language modeling head."""

    base_class = GraniteMoeHybridModel
