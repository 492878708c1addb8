"""Processor of LLaVA: each image mark in the text becomes as many placeholders as the image has features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_multimodal.media_text import MediaTextProcessor


class LlavaProcessor(MediaTextProcessor):
    """An image processor and a tokenizer.

    patch_size: of the vision tower. vision_feature_select_strategy: "default" leaves out the class token.
    num_additional_image_tokens: features of an image besides those of its patches, such as the class token.
    image_token: the mark in the text.
    """

    attributes = ("image_processor", "tokenizer")
    patch_size: int | None = None
    vision_feature_select_strategy: str | None = None
    image_token: str = "<image>"
    num_additional_image_tokens: int = 0

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        images = [image.shape[-2:] for image in found["pixel_values"]]
        return [self.placeholders_of(int(height), int(width)) for height, width in images]

    def placeholders_of(self, height: int, width: int) -> int:
        """Features that the model will make of a processed image of this size."""
        patch = self.known_patch_size()
        return (height // patch) * (width // patch) + self.features_besides()

    def features_besides(self) -> int:
        """Features of an image that are none of its patches."""
        return self.num_additional_image_tokens - (self.vision_feature_select_strategy == "default")

    def known_patch_size(self) -> int:
        """`patch_size`; raises ProcessingError where it is not set."""
        if self.patch_size is None:
            raise ProcessingError(
                "processor.patch_size is None, so placeholders cannot be counted; set it to the vision "
                "tower's (model.config.vision_config.patch_size) and save the processor"
            )
        return self.patch_size
