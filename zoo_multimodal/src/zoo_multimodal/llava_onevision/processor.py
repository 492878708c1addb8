"""Processor of LLaVA-OneVision: placeholders for bounded feature maps of images and for frames of videos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_multimodal.llava_next.geometry import features_of
from zoo_multimodal.llava_onevision.geometry import bounded_extent
from zoo_multimodal.media_text import MediaTextProcessor


class LlavaOnevisionProcessor(MediaTextProcessor):
    """An image processor, a tokenizer and a video processor.

    num_image_tokens: features of a tile. vision_feature_select_strategy: "default" drops the class token.
    vision_aspect_ratio: "anyres_max_N", a map has the area of N tiles at most.
    """

    attributes = ("image_processor", "tokenizer", "video_processor")
    num_image_tokens: int | None = None
    vision_feature_select_strategy: str | None = None
    image_token: str = "<image>"
    video_token: str = "<video>"
    vision_aspect_ratio: str = "anyres_max_9"

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        edge = self.edge()
        if kind == "videos":
            return [len(video) * ((edge + 1) // 2) ** 2 + 1 for video in found["pixel_values_videos"]]
        besides = int(self.vision_feature_select_strategy == "default")
        pinpoints = options.get("image_grid_pinpoints", self.image_processor.image_grid_pinpoints)
        tile = int(found["pixel_values"][0].shape[-1])
        counts = [int(count) for count in found["batch_num_images"]]
        alone = [count == 1 for count in counts for _ in range(count)]
        sizes = [(int(height), int(width)) for height, width in found["image_sizes"]]

        def bounded(extent: tuple[int, int]) -> tuple[int, int]:
            return bounded_extent(extent, edge, self.vision_aspect_ratio)

        return [
            (features_of(size, pinpoints, tile=tile, patches=edge, bounded=bounded) if cut else edge**2 + 1)
            - besides
            for size, cut in zip(sizes, alone, strict=True)
        ]

    def edge(self) -> int:
        """Features along the edge of a tile.

        Raises:
            ProcessingError: `num_image_tokens` is not set.
        """
        if self.num_image_tokens is None:
            raise ProcessingError(
                "processor.num_image_tokens is None, so placeholders cannot be counted; set it to the vision "
                "tower's (image_size // patch_size) ** 2 and save the processor"
            )
        return int(self.num_image_tokens**0.5)
