"""FlexOlmo: OLMo 2's layers with a mixture of experts."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.layer import BranchNormLayer
from zoo_core.nn.moe import Experts, Router
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.flex_olmo.config import FlexOlmoConfig
from zoo_text.olmoe.model import OlmoeMoE


class FlexOlmoPreTrainedModel(PreTrainedModel):
    """What all FlexOlmo classes share."""

    config_class = FlexOlmoConfig
    base_model_prefix = "model"


class FlexOlmoModel(FlexOlmoPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast
    layer_class = BranchNormLayer

    def make_attention(self, config: FlexOlmoConfig, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, qk_norm=self.norm_of(config), qk_norm_full=True)

    def make_mlp(self, config: FlexOlmoConfig, layer_idx: int) -> nn.Module:
        size, experts = config.hidden_size, config.num_experts
        return OlmoeMoE(
            Router(size, experts, config.num_experts_per_tok, normalize=config.norm_topk_prob),
            Experts(experts, size, config.intermediate_size, config.hidden_act),
        )

    def norm_of(self, config: FlexOlmoConfig) -> NormFactory:
        return partial(RMSNorm, eps=config.rms_norm_eps, scale_in_float32=True)

    def make_rotary(self, config: FlexOlmoConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, float32=True)}


class FlexOlmoForCausalLM(ForMoeCausalLM, FlexOlmoPreTrainedModel):
    """FlexOlmo with a language modeling head."""

    base_class = FlexOlmoModel
