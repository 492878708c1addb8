"""LLaVA-NeXT-Video: LLaVA-NeXT that also reads the frames of a video, their features pooled."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.llava_next.model import LlavaNextModel
from zoo_multimodal.llava_next_video.config import LlavaNextVideoConfig
from zoo_multimodal.video_text import VideoTextForConditionalGeneration, VideoTextModel, VideoTextModelOutput


class LlavaNextVideoPreTrainedModel(PreTrainedModel):
    """What all LLaVA-NeXT-Video classes share."""

    config_class = LlavaNextVideoConfig
    base_model_prefix = "model"


class Pooler(nn.Module):
    """Squares of a frame's features as one: their mean, their maximum, or a convolution."""

    def __init__(self, config: LlavaNextVideoConfig) -> None:
        super().__init__()
        vision, stride = config.vision_config, config.spatial_pool_stride
        self.edge = vision.image_size // vision.patch_size
        self.pool: nn.Module
        if config.spatial_pool_mode == "conv":
            width = vision.hidden_size
            self.pool = nn.Conv2d(width, width, stride, stride)
        else:
            kind = nn.AvgPool2d if config.spatial_pool_mode == "average" else nn.MaxPool2d
            self.pool = kind(stride, stride)

    def forward(self, features: Tensor) -> Tensor:
        """(frames, patches, width) to (frames, fewer, width)."""
        image = features.transpose(1, 2).unflatten(2, (self.edge, self.edge))
        return self.pool(image).flatten(2).transpose(1, 2)


class LlavaNextVideoModel(LlavaNextVideoPreTrainedModel, VideoTextModel, LlavaNextModel):
    """The model without its head."""

    flat_video_states = True

    def __init__(self, config: LlavaNextVideoConfig) -> None:
        super().__init__(config)
        self.vision_resampler = Pooler(config)
        self.post_init()

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        image_sizes: Tensor | None = None,
        **inputs: Any,
    ) -> VideoTextModelOutput:
        """As of LLaVA-NeXT; `pixel_values_videos` are (videos, frames, channels, height, width)."""
        own = {"pixel_values_videos": pixel_values_videos, "image_sizes": image_sizes}
        return super().forward(input_ids, pixel_values, **own, **inputs)

    def get_video_features(self, pixel_values_videos: Tensor, **options: Any) -> Tensor:
        """(videos, frames, channels, height, width) to (videos, frames x features, hidden)."""
        states = self.chosen_states(pixel_values_videos.flatten(0, 1), **options)
        features = self.multi_modal_projector(self.vision_resampler(states))
        return features.unflatten(0, pixel_values_videos.shape[:2]).flatten(1, 2)


class LlavaNextVideoForConditionalGeneration(
    VideoTextForConditionalGeneration, LlavaNextVideoPreTrainedModel
):
    """LLaVA-NeXT-Video with the language model's head."""

    base_class = LlavaNextVideoModel
    #: of the whole model's files, those with a pooling convolution have the level that newer files have
    head_names = {
        **VideoTextForConditionalGeneration.head_names,
        "model.vision_resampler": "model.vision_resampler",
    }
