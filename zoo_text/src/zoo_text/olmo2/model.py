"""OLMo 2: norms on the branches, and on all queries and all keys together."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_of, layer_rule, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import BranchNormLayer
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.olmo2.config import Olmo2Config


class Olmo2Decoder(DecoderModel):
    """A decoder that normalises what a branch adds, queries and keys."""

    layer_class = BranchNormLayer

    def make_attention(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        norm, rule = self.norm_of(config), layer_rule(config, layer_idx)
        return attention_of(config, layer_idx, qk_norm=norm, qk_norm_full=True, rule=rule)

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        return partial(RMSNorm, eps=config.rms_norm_eps, scale_in_float32=True)

    def make_rotary(self, config: PretrainedConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, float32=True)}


class Olmo2PreTrainedModel(PreTrainedModel):
    """What all OLMo 2 classes share."""

    config_class = Olmo2Config
    base_model_prefix = "model"


class Olmo2Model(Olmo2PreTrainedModel, Olmo2Decoder):
    """The decoder without a head."""


class Olmo2ForCausalLM(ForCausalLM, Olmo2PreTrainedModel):
    """OLMo 2 with a language modeling head."""

    base_class = Olmo2Model
