"""Processor of PerceptionLM: a placeholder for each feature of a tile or a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_multimodal.media_text import MediaTextProcessor


class PerceptionLMProcessor(MediaTextProcessor):
    """A video processor, an image processor, and a tokenizer with `image_token` and `video_token`.

    patch_size: of the encoder. pooling_ratio: edge of the squares of patches that make a feature.
    """

    attributes = ("video_processor", "image_processor", "tokenizer")
    defaults = {"text_kwargs": {"padding": False, "return_mm_token_type_ids": False}}
    marks_need_media = True
    patch_size: int | None = None
    pooling_ratio: int = 2

    @property
    def image_token(self) -> str:
        """The mark and placeholder of images."""
        return str(self.tokenizer.image_token)

    @property
    def video_token(self) -> str:
        """The mark and placeholder of videos."""
        return str(self.tokenizer.video_token)

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As the base's; images and videos come with a text."""
        if text is None:
            raise ProcessingError(
                "PerceptionLMProcessor needs text; image_processor and video_processor do without"
            )
        return super().__call__(images=images, text=text, videos=videos, audio=audio, **kwargs)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        if self.patch_size is None:
            raise ProcessingError(
                "processor.patch_size is None, so placeholders cannot be counted; set it to the encoder's "
                "and save the processor"
            )
        texts: list[int | str] = []
        for tiles in found["pixel_values" if kind == "images" else "pixel_values_videos"]:
            height, width = (int(side) // self.patch_size // self.pooling_ratio for side in tiles.shape[-2:])
            texts.append(len(tiles) * height * width)
        return texts
