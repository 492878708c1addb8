"""GLM: Llama with half of each head rotated, neighbouring features together, and a fused gate."""

from __future__ import annotations

from torch import nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.glm.config import GlmConfig


class GlmDecoder(DecoderModel):
    """GLM's layers."""

    hub_names = {
        ("layers.*.mlp.gate_proj", "layers.*.mlp.up_proj"): Fused("layers.*.mlp.gate_up_proj"),
    }

    def make_attention(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        return attention_of(config, layer_idx, out_bias=False)

    def make_rotary(self, config: PretrainedConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, interleaved=True)}


class GlmPreTrainedModel(PreTrainedModel):
    """What all GLM classes share."""

    config_class = GlmConfig
    base_model_prefix = "model"


class GlmModel(GlmPreTrainedModel, GlmDecoder):
    """The decoder without a head."""


class GlmForCausalLM(ForCausalLM, GlmPreTrainedModel):
    """GLM with a language modeling head."""

    base_class = GlmModel


class GlmForSequenceClassification(ForLastTokenClassification, GlmPreTrainedModel):
    """GLM with a classifier on the last token."""

    base_class = GlmModel


class GlmForTokenClassification(ForTokenClassification, GlmPreTrainedModel):
    """GLM with a classifier on each token."""

    base_class = GlmModel
    head_names = {"classifier": "score"}
