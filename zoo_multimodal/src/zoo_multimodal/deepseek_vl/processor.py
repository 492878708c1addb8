"""Processor of DeepSeek-VL: each image mark becomes a fixed number of placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.processing import BatchFeature
from zoo_multimodal.media_text import MediaTextProcessor


class DeepseekVLProcessor(MediaTextProcessor):
    """An image processor and a tokenizer with an `image_token`. num_image_tokens: features of an image."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"common_kwargs": {"return_tensors": "pt"}}
    num_image_tokens: int = 576

    @property
    def image_token(self) -> str:
        """The mark of an image and the placeholder of a feature."""
        return str(self.tokenizer.image_token)

    def __call__(  # type: ignore[override]
        self, text: Any = None, images: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As the base's."""
        return super().__call__(images, text, **kwargs)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        return [self.num_image_tokens] * len(found["pixel_values"])
