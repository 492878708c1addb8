"""GLM-4-0414: GLM with norms before and after each branch."""

from __future__ import annotations

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import SandwichLayer
from zoo_text.glm.model import GlmDecoder
from zoo_text.glm4.config import Glm4Config


class Glm4Decoder(GlmDecoder):
    """GLM-4's layers."""

    hub_names = {
        **GlmDecoder.hub_names,
        "layers.*.post_attention_layernorm": "layers.*.post_self_attn_layernorm",
        "layers.*.pre_feedforward_layernorm": "layers.*.post_attention_layernorm",
        "layers.*.post_feedforward_layernorm": "layers.*.post_mlp_layernorm",
    }
    layer_class = SandwichLayer


class Glm4PreTrainedModel(PreTrainedModel):
    """What all GLM-4 classes share."""

    config_class = Glm4Config
    base_model_prefix = "model"


class Glm4Model(Glm4PreTrainedModel, Glm4Decoder):
    """The decoder without a head."""


class Glm4ForCausalLM(ForCausalLM, Glm4PreTrainedModel):
    """GLM-4-0414 with a language modeling head."""

    base_class = Glm4Model


class Glm4ForSequenceClassification(ForLastTokenClassification, Glm4PreTrainedModel):
    """GLM-4-0414 with a classifier on the last token."""

    base_class = Glm4Model


class Glm4ForTokenClassification(ForTokenClassification, Glm4PreTrainedModel):
    """GLM-4-0414 with a classifier on each token."""

    base_class = Glm4Model
    head_names = {"classifier": "score"}
