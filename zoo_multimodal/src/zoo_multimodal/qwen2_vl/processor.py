"""Processor of Qwen2-VL: a mark becomes as many placeholders as the grid of patches has merged features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import MediaTextProcessor


class Qwen2VLProcessor(MediaTextProcessor):
    """An image processor, a tokenizer and a video processor."""

    attributes = ("image_processor", "tokenizer", "video_processor")

    @property
    def image_token(self) -> str:
        """The mark of an image."""
        return getattr(self.tokenizer, "image_token", "<|image_pad|>")

    @property
    def video_token(self) -> str:
        """The mark of a video."""
        return getattr(self.tokenizer, "video_token", "<|video_pad|>")

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        component = self.require(kind)
        grid = found["image_grid_thw" if kind == "images" else "video_grid_thw"]
        return [
            int(time * rows * columns) // options.get("merge_size", component.merge_size) ** 2
            for time, rows, columns in grid
        ]
