"""GLM-4.5: DeepSeek-V3's experts with plain attention, a part of each head rotated."""

from __future__ import annotations

from torch import nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.deepseek_v3.model import DeepseekV3MoE
from zoo_text.glm4_moe.config import Glm4MoeConfig


class Glm4MoeDecoder(DecoderModel):
    """GLM-4.5's layers."""

    def make_attention(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        qk_norm = self.norm_of(config) if getattr(config, "use_qk_norm", False) else None
        return attention_of(config, layer_idx, qk_norm=qk_norm, out_bias=False)

    def make_mlp(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        dense = layer_idx < config.first_k_dense_replace
        return gated_mlp_of(config) if dense else DeepseekV3MoE(config)


class Glm4MoePreTrainedModel(PreTrainedModel):
    """What all GLM-4.5 classes share."""

    config_class = Glm4MoeConfig
    base_model_prefix = "model"
    ignored_names = ("model.layers.92.*", "model.layers.46.*")  # the multi-token prediction layers


class Glm4MoeModel(Glm4MoePreTrainedModel, Glm4MoeDecoder):
    """The decoder without a head."""


class Glm4MoeForCausalLM(ForCausalLM, Glm4MoePreTrainedModel):
    """GLM-4.5 with a language modeling head."""

    base_class = Glm4MoeModel
