"""LFM2-VL: images and tiles of any shape, their features joined, in the text of an LFM2."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.activation import activation
from zoo_multimodal.idefics3.model import joined_blocks
from zoo_multimodal.image_text import (
    ImageTextModel,
    ImageTextModelOutput,
    NamedAsBuiltForConditionalGeneration,
)
from zoo_multimodal.lfm2_vl.config import Lfm2VlConfig


class Lfm2VlPreTrainedModel(PreTrainedModel):
    """What all LFM2-VL classes share."""

    config_class = Lfm2VlConfig
    base_model_prefix = "model"


class JoiningProjector(nn.Module):
    """Squares of features as one, normalised, through a feed-forward block."""

    def __init__(self, config: Lfm2VlConfig) -> None:
        super().__init__()
        self.side, inner = config.downsample_factor, config.projector_hidden_size
        width = config.vision_config.hidden_size * self.side**2
        self.layer_norm = nn.LayerNorm(width)
        self.linear_1 = nn.Linear(width, inner, bias=config.projector_bias)
        self.act = activation(config.projector_hidden_act)
        self.linear_2 = nn.Linear(inner, config.text_config.hidden_size, bias=config.projector_bias)

    def forward(self, features: Tensor) -> Tensor:
        """A map (rows, columns, width) to (features, hidden)."""
        joined = joined_blocks(features[None], self.side).flatten(0, 2)
        return self.linear_2(self.act(self.linear_1(self.layer_norm(joined))))


class Lfm2VlModel(Lfm2VlPreTrainedModel, ImageTextModel):
    """The model without its head."""

    hub_names: dict[str, str] = {}
    aliases: dict[str, str] = {}
    flat_image_states = True

    def make_projector(self, config: Lfm2VlConfig) -> nn.Module:
        return JoiningProjector(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        spatial_shapes: Tensor | None = None,
        pixel_attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ImageTextModelOutput:
        """As the base's; see `get_image_features` for what belongs to the images."""
        own = {"spatial_shapes": spatial_shapes, "pixel_attention_mask": pixel_attention_mask}
        return super().forward(input_ids, pixel_values, attention_mask, **own, **inputs)

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {name: inputs.pop(name, None) for name in ("spatial_shapes", "pixel_attention_mask")}

    def get_image_features(  # type: ignore[override]
        self,
        pixel_values: Tensor,
        spatial_shapes: Tensor | None = None,
        pixel_attention_mask: Tensor | None = None,
    ) -> list[Tensor]:
        """Features (features, hidden) of each image or tile.

        Args:
            pixel_values: (images, patches, patch area x channels), padded on the right.
            spatial_shapes: (images, 2) rows and columns of patches.
            pixel_attention_mask: (images, patches), 0 for padding.
        """
        if spatial_shapes is None:
            raise ValueError("pass spatial_shapes (images, 2), which the image processor returns")
        states = self.vision_tower(pixel_values, pixel_attention_mask, spatial_shapes).last_hidden_state
        side, features = self.config.downsample_factor, []
        for i, (image, (rows, columns)) in enumerate(zip(states, spatial_shapes.tolist(), strict=True)):
            if rows % side or columns % side:
                raise ValueError(
                    f"image {i} has {rows}x{columns} patches; both must be multiples of {side}, as the "
                    "image processor makes them"
                )
            features.append(self.multi_modal_projector(image[: rows * columns].view(rows, columns, -1)))
        return features


class Lfm2VlForConditionalGeneration(NamedAsBuiltForConditionalGeneration, Lfm2VlPreTrainedModel):
    """LFM2-VL with the language model's head."""

    base_class = Lfm2VlModel
