"""GLM-4-0414: GLM with norms before and after each branch."""

from __future__ import annotations

from functools import partial

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, gated_mlp_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import SandwichLayer
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.glm.model import GATED_MLP
from zoo_text.glm4.config import Glm4Config

SANDWICH = {
    "layers.*.post_attention_layernorm": "layers.*.post_self_attn_layernorm",
    "layers.*.pre_feedforward_layernorm": "layers.*.post_attention_layernorm",
    "layers.*.post_feedforward_layernorm": "layers.*.post_mlp_layernorm",
}


class Glm4PreTrainedModel(PreTrainedModel):
    """What all GLM-4 classes share."""

    config_class = Glm4Config
    base_model_prefix = "model"


class Glm4Model(Glm4PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = GATED_MLP | SANDWICH

    def make_layer(self, config: Glm4Config, layer_idx: int) -> nn.Module:
        return SandwichLayer(
            config.hidden_size,
            partial(RMSNorm, eps=config.rms_norm_eps),
            self_attn=attention_of(config, layer_idx, out_bias=False),
            mlp=gated_mlp_of(config),
        )

    def make_rotary(self, config: Glm4Config) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config, interleaved=True)}


class Glm4ForCausalLM(ForCausalLM, Glm4PreTrainedModel):
    """GLM-4-0414 with a language modeling head."""

    base_class = Glm4Model
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}


class Glm4ForSequenceClassification(ForLastTokenClassification, Glm4PreTrainedModel):
    """GLM-4-0414 with a classifier on the last token."""

    base_class = Glm4Model


class Glm4ForTokenClassification(ForTokenClassification, Glm4PreTrainedModel):
    """GLM-4-0414 with a classifier on each token."""

    base_class = Glm4Model
    head_names = {"classifier": "score"}
