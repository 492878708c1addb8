"""Processor of Aya Vision: an image is its tiles, each named and followed by placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import MediaTextProcessor


class AyaVisionProcessor(MediaTextProcessor):
    """An image processor and a tokenizer.

    patch_size: edge of a feature in pixels; with `downsample_factor`, which is not kept, of a patch.
    img_size: edge of a tile.
    """

    attributes = ("image_processor", "tokenizer")
    defaults = {
        "text_kwargs": {"padding_side": "left", "padding": True},
        "images_kwargs": {"crop_to_patches": True},
    }
    patch_size: int = 28
    img_size: int = 364
    image_token: str = "<image>"
    start_of_img_token: str = "<|START_OF_IMG|>"
    end_of_img_token: str = "<|END_OF_IMG|>"
    img_patch_token: str = "<|IMG_PATCH|>"
    img_line_break_token: str = "<|IMG_LINE_BREAK|>"
    tile_token: str = "TILE"
    tile_global_token: str = "TILE_GLOBAL"

    def __init__(self, *components: Any, downsample_factor: int = 1, **values: Any) -> None:
        super().__init__(*components, **values)
        self.patch_size *= downsample_factor

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        features = self.img_patch_token * (self.img_size // self.patch_size) ** 2
        texts: list[int | str] = []
        for count in found.pop("num_patches"):
            tiles = [f"{self.tile_token}_{i}" for i in range(1, int(count))]
            body = "".join(f"{name}{features}" for name in (*tiles, self.tile_global_token))
            texts.append(f"{self.start_of_img_token}{body}{self.end_of_img_token}")
        return texts

    def tokens_of_images(self) -> list[str]:
        ends = [self.start_of_img_token, self.end_of_img_token, self.img_line_break_token]
        return [self.image_token, self.img_patch_token, self.tile_global_token, *ends]
