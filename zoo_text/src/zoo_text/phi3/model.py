"""Phi-3: Llama whose projections are fused in files, with LongRoPE."""

from __future__ import annotations

from typing import Any

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.phi3.config import Phi3Config


class Phi3PreTrainedModel(PreTrainedModel):
    """What all Phi-3 classes share."""

    config_class = Phi3Config
    base_model_prefix = "model"


class Phi3Model(Phi3PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    hub_names = {
        ("layers.*.mlp.gate_proj", "layers.*.mlp.up_proj"): Fused("layers.*.mlp.gate_up_proj"),
        tuple(f"layers.*.self_attn.{part}_proj" for part in "qkv"): Fused("layers.*.self_attn.qkv_proj"),
    }

    def layer_options(self, config: Phi3Config) -> dict[str, Any]:
        return {"dropout": config.resid_pdrop}

    def make_rotary(self, config: Phi3Config) -> dict[str, RotaryEmbedding]:
        original = config.original_max_position_embeddings
        scaling = config.rope_scaling and {
            **config.rope_scaling,
            "original_max_position_embeddings": original,
            "factor": config.max_position_embeddings / original,
        }
        return {"full": rotary_of(config, scaling=scaling)}


class Phi3ForCausalLM(ForCausalLM, Phi3PreTrainedModel):
    """Phi-3 with a language modeling head."""

    base_class = Phi3Model


class Phi3ForSequenceClassification(ForLastTokenClassification, Phi3PreTrainedModel):
    """Phi-3 with a classifier on the last token."""

    base_class = Phi3Model


class Phi3ForTokenClassification(ForTokenClassification, Phi3PreTrainedModel):
    """Phi-3 with a classifier on each token."""

    base_class = Phi3Model
    head_names = {"classifier": "score"}
