"""OLMoE: Llama with norms on all queries and all keys together, and many small experts."""

from __future__ import annotations

from torch import nn

from zoo_core.checkpoint.dialects import EXPERTS
from zoo_core.heads.language import ForMoeCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeModelOutputWithPast
from zoo_core.nn.moe import Experts, MixtureOfExperts, Router
from zoo_text.olmo.model import ClippedAttention
from zoo_text.olmoe.config import OlmoeConfig


class OlmoeMoE(MixtureOfExperts):
    """Experts under the usual names."""

    hub_names = EXPERTS


class OlmoePreTrainedModel(PreTrainedModel):
    """What all OLMoE classes share."""

    config_class = OlmoeConfig
    base_model_prefix = "model"


class OlmoeModel(OlmoePreTrainedModel, DecoderModel):
    """The decoder without a head."""

    output_class = MoeModelOutputWithPast

    def make_attention(self, config: OlmoeConfig, layer_idx: int) -> nn.Module:
        return ClippedAttention(config, layer_idx, qk_norm=self.norm_of(config), qk_norm_full=True)

    def make_mlp(self, config: OlmoeConfig, layer_idx: int) -> nn.Module:
        size, number = config.hidden_size, config.num_experts
        router = Router(size, number, config.num_experts_per_tok, normalize=config.norm_topk_prob)
        return OlmoeMoE(router, Experts(number, size, config.intermediate_size, config.hidden_act))


class OlmoeForCausalLM(ForMoeCausalLM, OlmoePreTrainedModel):
    """OLMoE with a language modeling head."""

    base_class = OlmoeModel
