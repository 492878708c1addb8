"""ViP-LLaVA: features of several layers of the vision tower, normalised and projected together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.cache import Cache
from zoo_multimodal.image_text import (
    ImageTextCausalLMOutput,
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
    Projector,
)
from zoo_multimodal.vipllava.config import VipLlavaConfig


class VipLlavaPreTrainedModel(PreTrainedModel):
    """What all ViP-LLaVA classes share."""

    config_class = VipLlavaConfig
    base_model_prefix = "model"


class VipLlavaModelOutputWithPast(ImageTextModelOutput):
    """States of the language model; `image_hidden_states` (images, patches, hidden) as it read them."""


class VipLlavaCausalLMOutputWithPast(ImageTextCausalLMOutput):
    """Scores of the next token; `image_hidden_states` (images, patches, hidden) as it read them."""


class VipLlavaProjector(Projector):
    """A projector that normalises first."""

    def __init__(self, width: int, hidden_size: int, act: str, *, eps: float) -> None:
        super().__init__(width, hidden_size, act)
        self.projector_layernorm = nn.LayerNorm(width, eps=eps)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(self.projector_layernorm(features))


class VipLlavaModel(VipLlavaPreTrainedModel, ImageTextModel):
    """The model without its head."""

    output_class = VipLlavaModelOutputWithPast

    def make_projector(self, config: VipLlavaConfig) -> nn.Module:
        chosen = config.vision_feature_layers
        layers = 1 if isinstance(chosen, int) else len(chosen)
        return VipLlavaProjector(
            config.vision_config.hidden_size * layers,
            config.text_config.hidden_size,
            config.projector_hidden_act,
            eps=config.projector_layernorm_eps,
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        vision_feature_layers: int | list[int] | None = None,
        use_cache: bool | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As the base's, with features of other layers than the config's where they are given."""
        return super().forward(
            input_ids,
            pixel_values,
            attention_mask,
            position_ids,
            past_key_values,
            inputs_embeds=inputs_embeds,
            vision_feature_layers=vision_feature_layers,
            use_cache=use_cache,
            **inputs,
        )

    def image_options(self, inputs: dict[str, object]) -> dict[str, object]:
        return {name: inputs.pop(name) for name in ("vision_feature_layers",) if name in inputs}

    def get_image_features(
        self, pixel_values: Tensor, vision_feature_layers: int | list[int] | None = None
    ) -> Tensor:
        """(images, channels, height, width) to (images, patches, hidden); layers default to the config's."""
        layers = self.config.vision_feature_layers if vision_feature_layers is None else vision_feature_layers
        states = self.vision_tower(pixel_values, output_hidden_states=True).hidden_states
        if isinstance(layers, int):
            return self.multi_modal_projector(states[layers][:, 1:])
        return self.multi_modal_projector(torch.cat([states[i][:, 1:] for i in layers], dim=-1))


class VipLlavaForConditionalGeneration(ImageTextForConditionalGeneration, VipLlavaPreTrainedModel):
    """ViP-LLaVA with the language model's head."""

    base_class = VipLlavaModel
    output_class = VipLlavaCausalLMOutputWithPast

    def get_image_features(
        self, pixel_values: Tensor, vision_feature_layers: int | list[int] | None = None
    ) -> Tensor:
        """Projected features of images, see the base model."""
        return super().get_image_features(pixel_values, vision_feature_layers=vision_feature_layers)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        vision_feature_layers: int | list[int] | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        **inputs: Any,
    ) -> ImageTextCausalLMOutput:
        """As the base's; the features are those of `vision_feature_layers`, by default the config's."""
        return super().forward(
            input_ids,
            pixel_values,
            attention_mask,
            position_ids,
            past_key_values,
            inputs_embeds,
            labels=labels,
            vision_feature_layers=vision_feature_layers,
            use_cache=use_cache,
            **inputs,
        )
