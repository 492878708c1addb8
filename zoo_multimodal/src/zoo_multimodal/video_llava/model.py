"""Video-LLaVA: LLaVA with a second tower, whose features of a video's frames keep the class token."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.parts import build_part
from zoo_multimodal.llava.model import LlavaModel
from zoo_multimodal.video_llava.config import VideoLlavaConfig
from zoo_multimodal.video_text import VideoTextForConditionalGeneration, VideoTextModel, VideoTextModelOutput


class VideoLlavaPreTrainedModel(PreTrainedModel):
    """What all Video-LLaVA classes share."""

    config_class = VideoLlavaConfig
    base_model_prefix = "model"


class VideoLlavaModel(VideoLlavaPreTrainedModel, VideoTextModel, LlavaModel):
    """The model without its head."""

    hub_names = {"vision_tower": "image_tower", "language_model": "language_model.model"}
    flat_image_states = False

    def __init__(self, config: VideoLlavaConfig) -> None:
        super().__init__(config)
        self.video_tower = build_part(config.vision_config)
        self.post_init()

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        pixel_values_images: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        **inputs: Any,
    ) -> VideoTextModelOutput:
        """As of LLaVA; `pixel_values_videos` are (videos, frames, channels, height, width)."""
        pixels = inputs.pop("pixel_values", None) if pixel_values_images is None else pixel_values_images
        return super().forward(input_ids, pixels, pixel_values_videos=pixel_values_videos, **inputs)

    def video_options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in options.items() if name == "vision_feature_layer"}

    def get_video_features(
        self, pixel_values_videos: Tensor, vision_feature_layer: int | list[int] | None = None
    ) -> Tensor:
        """(videos, frames, channels, height, width) to (videos x frames, patches and class token, hidden)."""
        states = self.chosen_states(
            pixel_values_videos.flatten(0, 1),
            vision_feature_layer=vision_feature_layer,
            vision_feature_select_strategy="full",
            tower=self.video_tower,
        )
        return self.multi_modal_projector(states)


class VideoLlavaForConditionalGeneration(VideoTextForConditionalGeneration, VideoLlavaPreTrainedModel):
    """Video-LLaVA with the language model's head."""

    base_class = VideoLlavaModel

    def forward(
        self, input_ids: Tensor | None = None, pixel_values_images: Tensor | None = None, **inputs: Any
    ) -> Any:
        """As the base's, where images are called `pixel_values_images`."""
        pixels = inputs.pop("pixel_values", None) if pixel_values_images is None else pixel_values_images
        return super().forward(input_ids, pixels, **inputs)

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        renamed = {
            ("pixel_values" if name == "pixel_values_images" else name): x for name, x in inputs.items()
        }
        return super().repeat_inputs(renamed, times, input_ids=input_ids)
