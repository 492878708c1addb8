"""GLM: Llama with half of each head rotated, neighbouring features together, and a fused gate."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, gated_mlp_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.glm.config import GlmConfig

GATED_MLP = {
    ("layers.*.mlp.gate_proj", "layers.*.mlp.up_proj"): Fused("layers.*.mlp.gate_up_proj"),
}


class GlmPreTrainedModel(PreTrainedModel):
    """What all GLM classes share."""

    config_class = GlmConfig
    base_model_prefix = "model"


class GlmModel(GlmPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = GATED_MLP

    def make_layer(self, config: GlmConfig, layer_idx: int) -> nn.Module:
        return PreNormLayer(
            config.hidden_size,
            partial(RMSNorm, eps=config.rms_norm_eps),
            self_attn=attention_of(config, layer_idx, out_bias=False),
            mlp=gated_mlp_of(config),
        )

    def make_rotary(self, config: GlmConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, interleaved=True)}


class GlmForCausalLM(ForCausalLM, GlmPreTrainedModel):
    """GLM with a language modeling head."""

    base_class = GlmModel
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}


class GlmForSequenceClassification(ForLastTokenClassification, GlmPreTrainedModel):
    """GLM with a classifier on the last token."""

    base_class = GlmModel


class GlmForTokenClassification(ForTokenClassification, GlmPreTrainedModel):
    """GLM with a classifier on each token."""

    base_class = GlmModel
    head_names = {"classifier": "score"}
