"""Processor of Video-LLaVA: placeholders for the features of images and of all frames of videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.processing import BatchFeature
from zoo_multimodal.llava_next_video.processor import FramesProcessor


class VideoLlavaProcessor(FramesProcessor):
    """As of LLaVA, with videos; a video's frames keep their class token."""

    attributes = ("image_processor", "video_processor", "tokenizer")
    patch_size: int | None = 14
    vision_feature_select_strategy: str | None = "default"
    num_additional_image_tokens: int = 1

    def __call__(  # type: ignore[override]
        self, text: Any = None, images: Any = None, videos: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As of LLaVA; the pixels of images are called `pixel_values_images`."""
        return super().__call__(images, text, videos, **kwargs)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        if kind == "images":
            found = {"pixel_values": found["pixel_values_images"]}
        return super().replacements(kind, found, options)

    def features_of_frame(self, patches: int) -> int:
        return patches + self.num_additional_image_tokens
