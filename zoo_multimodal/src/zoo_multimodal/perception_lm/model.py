"""PerceptionLM: averaged features of a Perception Encoder's tiles and frames in the text of a Llama."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.recording import unrecorded
from zoo_multimodal.image_text import NamedAsBuiltForConditionalGeneration, Projector
from zoo_multimodal.perception_lm.config import PerceptionLMConfig
from zoo_multimodal.video_text import (
    VideoTextForConditionalGeneration,
    VideoTextModel,
    VideoTextModelOutput,
)


class PerceptionLMPreTrainedModel(PreTrainedModel):
    """What all PerceptionLM classes share."""

    config_class = PerceptionLMConfig
    base_model_prefix = "model"


class PoolingProjector(Projector):
    """Features of square images projected, and averaged over squares of `ratio` x `ratio`."""

    def __init__(self, width: int, hidden_size: int, *, ratio: int) -> None:
        super().__init__(width, hidden_size, "gelu")
        self.ratio = ratio

    def forward(self, features: Tensor) -> Tensor:
        """(images, patches, width) to (images, features, hidden)."""
        hidden = super().forward(features)
        if self.ratio == 1:
            return hidden
        side = int(hidden.shape[1] ** 0.5)
        if side**2 != hidden.shape[1]:
            raise ValueError(
                f"an image has {hidden.shape[1]} patches, no square; vision_use_cls_token of the config says "
                "whether the first is a class token"
            )
        grid = hidden.transpose(1, 2).unflatten(2, (side, side))
        return F.adaptive_avg_pool2d(grid, side // self.ratio).flatten(2).transpose(1, 2)


class PerceptionLMModel(PerceptionLMPreTrainedModel, VideoTextModel):
    """The model without its head."""

    #: the tower's own table drops the level that it has in files of its own
    hub_names = {"vision_tower": "vision_tower.timm_model"}
    aliases: dict[str, str] = {}

    def make_projector(self, config: PerceptionLMConfig) -> nn.Module:  # type: ignore[override]
        width = self.vision_tower.model.norm_pre.normalized_shape[0]
        return PoolingProjector(width, config.text_config.hidden_size, ratio=config.projector_pooling_ratio)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        **inputs: Any,
    ) -> VideoTextModelOutput:
        """Tiles (images, tiles, channels, height, width) and frames likewise in a text (batch, sequence)."""
        return super().forward(input_ids, pixel_values, pixel_values_videos=pixel_values_videos, **inputs)

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """Tiles (images, tiles, channels, height, width) to (all tiles, features, hidden)."""
        if pixel_values.dim() != 5:
            raise ValueError(
                f"pixels are {tuple(pixel_values.shape)}, not (images, tiles, channels, height, width), as "
                "the processor makes them"
            )
        with unrecorded():
            states = self.vision_tower(pixel_values.flatten(0, 1), do_pooling=False).last_hidden_state
        return self.multi_modal_projector(states[:, 1:] if self.config.vision_use_cls_token else states)

    def get_video_features(self, pixel_values_videos: Tensor, **options: Any) -> Tensor:
        """Videos (videos, frames, channels, height, width) to (all frames, features, hidden)."""
        return self.get_image_features(pixel_values_videos)


class PerceptionLMForConditionalGeneration(
    VideoTextForConditionalGeneration, NamedAsBuiltForConditionalGeneration, PerceptionLMPreTrainedModel
):
    """PerceptionLM with the language model's head."""

    base_class = PerceptionLMModel
    head_names = NamedAsBuiltForConditionalGeneration.head_names
    base_name = NamedAsBuiltForConditionalGeneration.base_name
