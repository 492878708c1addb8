"""LLaVA: features of a chosen layer of the vision tower, projected to the language model's embeddings."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.image_text import (
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
    Projector,
)
from zoo_multimodal.llava.config import LlavaConfig


class LlavaPreTrainedModel(PreTrainedModel):
    """What all LLaVA classes share."""

    config_class = LlavaConfig
    base_model_prefix = "model"


class LlavaModel(LlavaPreTrainedModel, ImageTextModel):
    """The model without its head."""

    flat_image_states = True

    def make_projector(self, config: LlavaConfig) -> nn.Module:
        chosen = config.vision_feature_layer
        layers = 1 if isinstance(chosen, int) else len(chosen)
        return Projector(
            config.vision_config.hidden_size * layers,
            config.text_config.hidden_size,
            config.projector_hidden_act,
            bias=config.multimodal_projector_bias,
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        *,
        vision_feature_layer: int | list[int] | None = None,
        vision_feature_select_strategy: str | None = None,
        image_sizes: Tensor | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As the base's, with features of other layers than the config's where they are given.

        `image_sizes` (images, 2), heights and widths without padding, go to towers that read them (Pixtral).
        """
        return super().forward(
            input_ids,
            pixel_values,
            image_sizes=image_sizes,
            vision_feature_layer=vision_feature_layer,
            vision_feature_select_strategy=vision_feature_select_strategy,
            **inputs,
        )

    def image_options(self, inputs: dict[str, object]) -> dict[str, object]:
        names = ("vision_feature_layer", "vision_feature_select_strategy", "image_sizes")
        return {name: inputs.pop(name) for name in names if name in inputs}

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """(images, channels, height, width) to (images, features, hidden); see `chosen_states`."""
        return self.multi_modal_projector(self.chosen_states(pixel_values, **options))

    def chosen_states(
        self,
        pixel_values: Tensor,
        *,
        vision_feature_layer: int | list[int] | None = None,
        vision_feature_select_strategy: str | None = None,
        image_sizes: Tensor | None = None,
        tower: nn.Module | None = None,
    ) -> Tensor:
        """States (images, patches, width) of chosen layers of the tower, or another, side by side.

        Layers and strategy ("default" leaves out the class token, "full" keeps it) default to the config's.
        """
        layers = self.config.vision_feature_layer if vision_feature_layer is None else vision_feature_layer
        strategy = vision_feature_select_strategy or self.config.vision_feature_select_strategy
        sizes = {} if image_sizes is None else {"image_sizes": image_sizes}
        tower = self.vision_tower if tower is None else tower
        states = tower(pixel_values, output_hidden_states=True, **sizes).hidden_states
        chosen = [states[i] for i in ([layers] if isinstance(layers, int) else layers)]
        if strategy == "default":
            chosen = [state[:, 1:] for state in chosen]
        return torch.cat(chosen, dim=-1)


class LlavaForConditionalGeneration(ImageTextForConditionalGeneration, LlavaPreTrainedModel):
    """LLaVA with the language model's head."""

    base_class = LlavaModel
