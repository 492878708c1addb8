"""Idefics3: neighbouring image features joined to one, in the text of a Llama."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.idefics2.model import SampledImagesForConditionalGeneration, SampledImagesModel
from zoo_multimodal.idefics2.vision import Idefics2VisionTransformer, real_images
from zoo_multimodal.idefics3.config import Idefics3Config, Idefics3VisionConfig


class Idefics3PreTrainedModel(PreTrainedModel):
    """What all Idefics3 classes share."""

    config_class = Idefics3Config
    base_model_prefix = "model"


class Idefics3VisionTransformer(Idefics2VisionTransformer):
    """The image tower."""

    config_class = Idefics3VisionConfig


def joined_squares(features: Tensor, side: int) -> Tensor:
    """Features of square images (images, patches, width), `side` x `side` neighbours as one.

    Returns:
        (images, rows, columns, width x side squared) (https://arxiv.org/abs/1609.05158).
    """
    edge = int(features.shape[1] ** 0.5)
    if edge**2 != features.shape[1] or edge % side:
        raise ValueError(
            f"an image has {features.shape[1]} patches, no square of whole {side}x{side} blocks; "
            "the image processor cuts images to such squares"
        )
    return joined_blocks(features.unflatten(1, (edge, edge)), side)


def joined_blocks(features: Tensor, side: int) -> Tensor:
    """Maps (images, rows, columns, width), `side` x `side` neighbours as one of width x side squared."""
    rows, columns = features.shape[1] // side, features.shape[2] // side
    return features.unflatten(2, (columns, side)).unflatten(1, (rows, side)).transpose(2, 3).flatten(3)


class ShuffledProjection(nn.Module):
    """`side` x `side` neighbours as one feature, mapped to a width."""

    hub_names = {"proj": "modality_projection.proj"}

    def __init__(self, width: int, hidden_size: int, side: int) -> None:
        super().__init__()
        self.side = side
        self.proj = nn.Linear(width * side**2, hidden_size, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """(images, patches, width) to (images, patches / side squared, hidden)."""
        return self.proj(joined_squares(features, self.side).flatten(1, 2))


class JoinedFeaturesModel(SampledImagesModel):
    """Such a model (Idefics3, SmolVLM)."""

    flat_image_states = False
    tower_class: type[PreTrainedModel]

    def make_tower(self, config: Any) -> nn.Module:
        return self.tower_class(config.vision_config)

    def make_projector(self, config: Any) -> nn.Module:
        width, hidden_size = config.vision_config.hidden_size, config.text_config.hidden_size
        return ShuffledProjection(width, hidden_size, config.scale_factor)

    def get_image_features(  # type: ignore[override]
        self, pixel_values: Tensor, pixel_attention_mask: Tensor | None = None
    ) -> Tensor:
        """Samples of images, see `forward`, to features (images, features, hidden)."""
        side = self.config.vision_config.patch_size
        images, patches = real_images(pixel_values, pixel_attention_mask, side, partial=True)
        return self.multi_modal_projector(self.vision_tower(images, patches).last_hidden_state)


class Idefics3Model(Idefics3PreTrainedModel, JoinedFeaturesModel):
    """The model without its head."""

    tower_class = Idefics3VisionTransformer


class Idefics3ForConditionalGeneration(SampledImagesForConditionalGeneration, Idefics3PreTrainedModel):
    """Idefics3 with the language model's head."""

    base_class = Idefics3Model
