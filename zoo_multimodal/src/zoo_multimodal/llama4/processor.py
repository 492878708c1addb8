"""Processor of Llama 4: an image is its tiles, row by row, and then a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_multimodal.media_text import MediaTextProcessor


class Llama4Processor(MediaTextProcessor):
    """An image processor and a tokenizer.

    patch_size: of the image tower. pixel_shuffle_ratio, which is not kept: edge of the grid of features to
    that of patches. fake_image_token: what stands for an image in a text.
    """

    attributes = ("image_processor", "tokenizer")
    #: read from a settings file, and not written
    computed = frozenset(
        {
            "downsample_ratio",
            "start_of_img_token",
            "end_of_img_token",
            "img_patch_token",
            "tile_token",
            "tile_global_token",
        }
    )
    defaults = {"text_kwargs": {"padding_side": "left"}}
    patch_size: int = 14
    fake_image_token: str = "<|image|>"
    image_token: str = "<|image|>"

    def __init__(
        self,
        *components: Any,
        pixel_shuffle_ratio: float = 0.5,
        start_of_image_token: str = "<|image_start|>",
        end_of_image_token: str = "<|image_end|>",
        patch_token: str = "<|patch|>",
        tile_x_separator_token: str = "<|tile_x_separator|>",
        tile_y_separator_token: str = "<|tile_y_separator|>",
        **values: Any,
    ) -> None:
        super().__init__(*components, **values)
        self.downsample_ratio = round(1 / pixel_shuffle_ratio**2)
        self.start_of_img_token, self.end_of_img_token = start_of_image_token, end_of_image_token
        self.img_patch_token = patch_token
        self.tile_token, self.tile_global_token = tile_x_separator_token, tile_y_separator_token

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As the base's; images come with a text, and a text may go without the images it has marks for."""
        if text is None:
            raise ProcessingError("Llama4Processor needs text; image_processor takes images alone")
        return super().__call__(images=images, text=text, videos=videos, **kwargs)

    def mark_of(self, kind: str) -> str:
        return self.fake_image_token

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        height, width = found["pixel_values"][0].shape[-2:]
        patches = (int(height) // self.patch_size) * (int(width) // self.patch_size)
        tile = self.img_patch_token * (patches // self.downsample_ratio)
        texts: list[int | str] = []
        for rows, columns in found.pop("aspect_ratios"):
            row = self.tile_token.join([tile] * int(columns)) + self.tile_global_token
            cut = row * int(rows) if int(rows) * int(columns) > 1 else ""
            texts.append(f"{self.start_of_img_token}{cut}{self.image_token}{tile}{self.end_of_img_token}")
        return texts

    def tokens_of_images(self) -> list[str]:
        return [self.image_token, self.img_patch_token]
