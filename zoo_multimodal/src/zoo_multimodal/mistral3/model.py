"""Mistral 3: Pixtral's image features, joined four at a time, in the text of a Mistral."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.norm import RMSNorm
from zoo_multimodal.image_text import (
    ImageTextForConditionalGeneration,
    ImageTextModel,
    ImageTextModelOutput,
    Projector,
)
from zoo_multimodal.mistral3.config import Mistral3Config
from zoo_multimodal.pixtral.model import patch_grid


class Mistral3PreTrainedModel(PreTrainedModel):
    """What all Mistral 3 classes share."""

    config_class = Mistral3Config
    base_model_prefix = "model"


class MergingProjector(Projector):
    """Features of `side` x `side` patches as one, mapped to the language model's width."""

    hub_names = {"merging": "patch_merger.merging_layer"}

    def __init__(self, config: Mistral3Config) -> None:
        vision, text, chosen = config.vision_config, config.text_config, config.vision_feature_layer
        layers = 1 if isinstance(chosen, int) else len(chosen)
        super().__init__(
            vision.hidden_size * layers,
            text.hidden_size,
            config.projector_hidden_act,
            bias=config.multimodal_projector_bias,
        )
        self.norm = RMSNorm(vision.hidden_size, eps=text.rms_norm_eps)
        self.side = config.spatial_merge_size
        self.merging = nn.Linear(vision.hidden_size * self.side**2, vision.hidden_size, bias=False)

    def forward(  # type: ignore[override]
        self, features: Tensor, grid: Sequence[tuple[int, int]]
    ) -> list[Tensor]:
        """Features (patches, width) of images with `grid` rows and columns to (features, hidden) of each."""
        side, found = self.side, []
        for image, (rows, columns) in zip(
            self.norm(features).split([rows * columns for rows, columns in grid]), grid, strict=True
        ):
            whole = image.view(rows, columns, -1)[: rows // side * side, : columns // side * side]
            blocks = whole.unflatten(1, (-1, side)).unflatten(0, (-1, side)).permute(0, 2, 4, 1, 3)
            found.append(super().forward(self.merging(blocks.flatten(2).flatten(0, 1))))
        return found


class Mistral3Model(Mistral3PreTrainedModel, ImageTextModel):
    """The model without its head."""

    flat_image_states = True

    def make_projector(self, config: Mistral3Config) -> nn.Module:
        return MergingProjector(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        *,
        image_sizes: Tensor | None = None,
        vision_feature_layer: int | list[int] | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As the base's; `image_sizes` (images, 2) are heights and widths without padding."""
        own = {"image_sizes": image_sizes, "vision_feature_layer": vision_feature_layer}
        return super().forward(input_ids, pixel_values, **own, **inputs)

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {name: inputs.pop(name, None) for name in ("image_sizes", "vision_feature_layer")}

    def get_image_features(  # type: ignore[override]
        self,
        pixel_values: Tensor,
        image_sizes: Tensor | None = None,
        vision_feature_layer: int | list[int] | None = None,
    ) -> list[Tensor]:
        """(images, channels, height, width) to (features, hidden) of each image."""
        layers = self.config.vision_feature_layer if vision_feature_layer is None else vision_feature_layer
        states = self.vision_tower(pixel_values, image_sizes, output_hidden_states=True).hidden_states
        chosen = [states[i][0] for i in ([layers] if isinstance(layers, int) else layers)]
        grid = patch_grid(pixel_values, image_sizes, self.config.vision_config.patch_size)
        return self.multi_modal_projector(torch.cat(chosen, dim=-1), grid)


class Mistral3ForConditionalGeneration(ImageTextForConditionalGeneration, Mistral3PreTrainedModel):
    """Mistral 3 with the language model's head."""

    base_class = Mistral3Model
