"""LLaVA-OneVision: LLaVA-NeXT whose feature maps are bounded, over one image, several, or a video."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.llava_next.model import LlavaNextModel
from zoo_multimodal.llava_onevision.config import LlavaOnevisionConfig
from zoo_multimodal.llava_onevision.geometry import bounded_extent
from zoo_multimodal.video_text import VideoTextForConditionalGeneration, VideoTextModel, VideoTextModelOutput


class LlavaOnevisionPreTrainedModel(PreTrainedModel):
    """What all LLaVA-OneVision classes share."""

    config_class = LlavaOnevisionConfig
    base_model_prefix = "model"


class LlavaOnevisionModel(LlavaOnevisionPreTrainedModel, VideoTextModel, LlavaNextModel):
    """The model without its head."""

    flat_video_states = True
    option_names = (*LlavaNextModel.option_names, "vision_aspect_ratio", "batch_num_images")

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        *,
        batch_num_images: Tensor | None = None,
        vision_aspect_ratio: str | None = None,
        image_sizes_videos: Tensor | None = None,
        **inputs: Any,
    ) -> VideoTextModelOutput:
        """As of LLaVA-NeXT.

        Args:
            pixel_values_videos: (videos, frames, channels, height, width).
            batch_num_images: (texts,) images of each text; an image is cut where it is the only one.
            vision_aspect_ratio: "anyres_max_N", by default the config's.
            image_sizes_videos: not needed.
        """
        own = {
            "image_sizes": image_sizes,
            "pixel_values_videos": pixel_values_videos,
            "batch_num_images": batch_num_images,
            "vision_aspect_ratio": vision_aspect_ratio,
        }
        return super().forward(input_ids, pixel_values, **own, **inputs)

    def get_image_features(  # type: ignore[override]
        self,
        pixel_values: Tensor,
        image_sizes: Tensor | None = None,
        *,
        batch_num_images: Tensor | None = None,
        **options: Any,
    ) -> list[Tensor]:
        """As of LLaVA-NeXT; of images that are not alone in their text the first tile, the whole, is seen."""
        alone = None
        if batch_num_images is not None:
            counts = torch.as_tensor(batch_num_images)
            alone = (counts == 1).repeat_interleave(counts).tolist()
        return super().get_image_features(pixel_values, image_sizes, cut=alone, **options)

    def bounded(self, large: Tensor, patches: int, vision_aspect_ratio: str | None = None) -> Tensor:
        extent = bounded_extent(
            (large.shape[1], large.shape[2]), patches, vision_aspect_ratio or self.config.vision_aspect_ratio
        )
        return F.interpolate(large[None], extent, mode="bilinear")[0] if extent != large.shape[1:] else large

    def get_video_features(self, pixel_values_videos: Tensor, **options: Any) -> Tensor:
        """(videos, frames, channels, height, width) to (videos, features, hidden), a line end after each."""
        vision, (videos, frames) = self.config.vision_config, pixel_values_videos.shape[:2]
        states = self.chosen_states(pixel_values_videos.flatten(0, 1), **options)
        features = self.multi_modal_projector(states)
        edge = vision.image_size // vision.patch_size
        image = features.transpose(1, 2).unflatten(2, (edge, edge))
        half = F.interpolate(image, ((edge + 1) // 2, (edge + 1) // 2), mode="bilinear")
        lines = half.flatten(2).transpose(1, 2).unflatten(0, (videos, frames)).flatten(1, 2)
        ends = self.image_newline.to(lines.dtype).expand(videos, 1, -1)
        return torch.cat((lines, ends), dim=1)


class LlavaOnevisionForConditionalGeneration(
    VideoTextForConditionalGeneration, LlavaOnevisionPreTrainedModel
):
    """LLaVA-OneVision with the language model's head."""

    base_class = LlavaOnevisionModel
