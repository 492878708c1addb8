"""Processor of Pixtral: a row of placeholders for each row of patches, with a token at each row's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import MediaTextProcessor


class PixtralProcessor(MediaTextProcessor):
    """An image processor and a tokenizer.

    patch_size, spatial_merge_size: of the model; their product is the edge of a feature in pixels.
    """

    attributes = ("image_processor", "tokenizer")
    defaults = {"common_kwargs": {"return_tensors": "pt"}}
    patch_size: int = 16
    spatial_merge_size: int = 1
    image_token: str = "[IMG]"
    image_break_token: str = "[IMG_BREAK]"
    image_end_token: str = "[IMG_END]"

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        edge = self.patch_size * self.spatial_merge_size
        texts: list[int | str] = []
        for height, width in found["image_sizes"]:
            row = self.image_token * (int(width) // edge)
            rows = [row] * (int(height) // edge)
            texts.append(self.image_break_token.join(rows) + self.image_end_token)
        return texts

    def tokens_of_images(self) -> list[str]:
        return [self.image_token, self.image_break_token, self.image_end_token]
