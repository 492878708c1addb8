"""dots.llm1: DeepSeek-V3's experts with plain attention whose queries and keys are normalised."""

from __future__ import annotations

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, gated_mlp_of, layer_rule
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.deepseek_v3.model import DeepseekV3MoE
from zoo_text.dots1.config import Dots1Config


class Dots1PreTrainedModel(PreTrainedModel):
    """What all dots.llm1 classes share."""

    config_class = Dots1Config
    base_model_prefix = "model"


class Dots1Model(Dots1PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: Dots1Config, layer_idx: int) -> nn.Module:
        rule = layer_rule(config, layer_idx)
        return attention_of(config, layer_idx, qk_norm=self.norm_of(config), rule=rule)

    def make_mlp(self, config: Dots1Config, layer_idx: int) -> nn.Module:
        dense = layer_idx < config.first_k_dense_replace
        return gated_mlp_of(config) if dense else DeepseekV3MoE(config)


class Dots1ForCausalLM(ForCausalLM, Dots1PreTrainedModel):
    """dots.llm1 with a language modeling head."""

    base_class = Dots1Model
