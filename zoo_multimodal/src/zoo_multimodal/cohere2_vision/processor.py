"""Processor of Command A Vision: an image is its tiles' placeholders, with a token at each tile's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import MediaTextProcessor


class Cohere2VisionProcessor(MediaTextProcessor):
    """An image processor and a tokenizer, which knows the four tokens of images."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"text_kwargs": {"padding_side": "left", "padding": True}}

    @property
    def image_token(self) -> str:
        """The mark of an image and the placeholder of a feature."""
        return str(self.tokenizer.image_token)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        tokens = self.tokenizer
        tile = self.image_token * self.image_processor.patch_size**2 + tokens.img_line_break_token
        counts = found.pop("num_patches")
        return [f"{tokens.boi_token}{tile * int(count)}{tokens.eoi_token}" for count in counts]

    def tokens_of_images(self) -> list[str]:
        tokens = self.tokenizer
        return [self.image_token, tokens.boi_token, tokens.eoi_token, tokens.img_line_break_token]
