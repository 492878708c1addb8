"""InstructBLIP for videos: the frames are images, and the language model reads the queries of all."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.instructblip.model import (
    InstructBlipForConditionalGeneration,
    InstructBlipModel,
    InstructBlipQFormerModel,
    InstructBlipVisionModel,
)
from zoo_multimodal.instructblipvideo.config import (
    InstructBlipVideoConfig,
    InstructBlipVideoQFormerConfig,
    InstructBlipVideoVisionConfig,
)


class InstructBlipVideoVisionModel(InstructBlipVisionModel):
    """The image encoder."""

    config_class = InstructBlipVideoVisionConfig


class InstructBlipVideoQFormerModel(InstructBlipQFormerModel):
    """The querying transformer."""

    config_class = InstructBlipVideoQFormerConfig


class Framewise(PreTrainedModel):
    """What differs of InstructBLIP's classes: `pixel_values` are (batch, frames, channels, height, width)."""

    config_class = InstructBlipVideoConfig
    placeholder = "video_token_index"
    vision_class = InstructBlipVideoVisionModel
    qformer_class = InstructBlipVideoQFormerModel

    def see(self, pixel_values: Tensor, **inputs: Any) -> tuple[Tensor, Any, Any]:
        """Embeddings (batch, frames x queries, width); both parts' outputs have a row for each frame."""
        if pixel_values.dim() != 5:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}; pass videos (batch, frames, channels, "
                "height, width)"
            )
        batch, frames = pixel_values.shape[:2]
        each = {
            name: value.repeat_interleave(frames, 0) if isinstance(value, Tensor) else value
            for name, value in inputs.items()
        }
        features, vision, asked = super().see(pixel_values.flatten(0, 1), **each)
        return features.reshape(batch, -1, features.shape[-1]), vision, asked


class InstructBlipVideoModel(Framewise, InstructBlipModel):
    """The three parts in one call; the language model has no head."""


class InstructBlipVideoForConditionalGeneration(Framewise, InstructBlipForConditionalGeneration):
    """InstructBLIP that writes about videos."""

    def get_video_features(self, pixel_values: Tensor, *text: Tensor | None, **options: Any) -> Any:
        """Projected queries (batch, frames x queries, width); see `get_image_features`."""
        return self.get_image_features(pixel_values, *text, **options)
