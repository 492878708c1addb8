"""Phi-3: Llama whose projections are fused in files, with LongRoPE."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.generation import GenerationMixin
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.cache import Cache
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.phi3.config import Phi3Config


def is_long(config: PretrainedConfig) -> bool:
    """Whether a config asks for LongRoPE."""
    scaling = config.rope_scaling or {}
    return scaling.get("rope_type", scaling.get("type")) in ("longrope", "su")


class LongRopeGeneration(GenerationMixin):
    """Reads the whole sequence again where it outgrows the short factors, which rotated the cached keys."""

    @property
    def short_context(self) -> int | None:
        """Positions up to which LongRoPE's short factors hold; None without LongRoPE."""
        known = {**vars(self.config), **(self.config.rope_scaling or {})}
        return known["original_max_position_embeddings"] if is_long(self.config) else None

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        *,
        past_key_values: Cache | None = None,
        attention_mask: Tensor | None = None,
        cache_position: Tensor | None = None,
        **inputs: Any,
    ) -> dict[str, Any]:
        length, short = input_ids.shape[1], self.short_context
        if short and length > short and past_key_values is not None and 0 < past_key_values.length <= short:
            past_key_values.reset()
            cache_position = torch.arange(length, device=input_ids.device)
            inputs.pop("position_ids", None)
            if attention_mask is not None:
                inputs["position_ids"] = (attention_mask[:, :length].cumsum(-1) - 1).clamp(min=0)
        return super().prepare_inputs_for_generation(
            input_ids,
            past_key_values=past_key_values,
            attention_mask=attention_mask,
            cache_position=cache_position,
            **inputs,
        )


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
        scaling, original = config.rope_scaling, config.original_max_position_embeddings
        if is_long(config):
            factor = config.max_position_embeddings / original
            scaling = {**scaling, "original_max_position_embeddings": original, "factor": factor}
        return {"full": rotary_of(config, scaling=scaling)}


class Phi3ForCausalLM(LongRopeGeneration, ForCausalLM, Phi3PreTrainedModel):
    """Phi-3 with a language modeling head."""

    base_class = Phi3Model


class Phi3ForSequenceClassification(ForLastTokenClassification, Phi3PreTrainedModel):
    """Phi-3 with a classifier on the last token."""

    base_class = Phi3Model


class Phi3ForTokenClassification(ForTokenClassification, Phi3PreTrainedModel):
    """Phi-3 with a classifier on each token."""

    base_class = Phi3Model
    head_names = {"classifier": "score"}
