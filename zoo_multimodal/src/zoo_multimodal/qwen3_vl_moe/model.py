"""Qwen3-VL with experts."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.heads.language import with_balance
from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.qwen2_vl.model import Qwen2VLCausalLMOutputWithPast, Qwen2VLModelOutputWithPast
from zoo_multimodal.qwen3_vl.model import DeepStackForConditionalGeneration, DeepStackModel
from zoo_multimodal.qwen3_vl.vision import Qwen3VLVisionModel
from zoo_multimodal.qwen3_vl_moe.config import Qwen3VLMoeConfig, Qwen3VLMoeVisionConfig


class Qwen3VLMoeModelOutputWithPast(Qwen2VLModelOutputWithPast):
    """As of Qwen3-VL, with the routers' scores."""

    router_logits: tuple[Tensor, ...] | None = None


class Qwen3VLMoeCausalLMOutputWithPast(Qwen2VLCausalLMOutputWithPast):
    """As of Qwen3-VL, with the load-balancing loss and the routers' scores."""

    aux_loss: Tensor | None = None
    router_logits: tuple[Tensor, ...] | None = None


class Qwen3VLMoePreTrainedModel(PreTrainedModel):
    """What all classes of Qwen3-VL with experts share."""

    config_class = Qwen3VLMoeConfig
    base_model_prefix = "model"


class Qwen3VLMoeVisionModel(Qwen3VLVisionModel):
    """The image tower."""

    config_class = Qwen3VLMoeVisionConfig


class Qwen3VLMoeModel(Qwen3VLMoePreTrainedModel, DeepStackModel):
    """The model without its head."""

    tower_class = Qwen3VLMoeVisionModel
    output_class = Qwen3VLMoeModelOutputWithPast


class Qwen3VLMoeForConditionalGeneration(DeepStackForConditionalGeneration, Qwen3VLMoePreTrainedModel):
    """Qwen3-VL with experts and the language model's head."""

    base_class = Qwen3VLMoeModel
    output_class = Qwen3VLMoeCausalLMOutputWithPast

    def forward(  # type: ignore[override]
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> Any:
        """As the base's; `output_router_logits` adds the load-balancing loss."""
        outputs = super().forward(input_ids, attention_mask, **inputs)
        return with_balance(outputs, self.config.get_text_config(), attention_mask)
