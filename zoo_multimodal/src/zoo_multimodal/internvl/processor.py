"""Processor of InternVL: images are tiles, videos are numbered frames, and all are images to the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo_core.processing import BatchFeature
from zoo_core.processing.batch_feature import array_kind, stack
from zoo_multimodal.media_text import MediaTextProcessor


class InternVLProcessor(MediaTextProcessor):
    """An image processor, a tokenizer with tokens for images, and a video processor.

    image_seq_length: features of a tile or a frame.
    """

    attributes = ("image_processor", "tokenizer", "video_processor")
    defaults = {"text_kwargs": {"padding_side": "left"}, "images_kwargs": {"crop_to_patches": True}}
    image_seq_length: int = 256

    @property
    def image_token(self) -> str:
        """The mark of an image and the placeholder of a feature."""
        return str(self.tokenizer.context_image_token)

    @property
    def video_token(self) -> str:
        """The mark of a video."""
        return str(self.tokenizer.video_token)

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """As the base's; `pixel_values` are tiles and frames in the order of their marks."""
        found = super().__call__(images, text, videos, **kwargs)
        parts = {name: iter(found.pop(name)) for name in ("tiles", "frames") if name in found}
        if not parts:
            return found
        marks = {self.image_token: "tiles", self.video_token: "frames"}
        pattern = "|".join(map(re.escape, marks))
        texts = [text] if isinstance(text, str) else list(text)
        order = [marks[mark] for one in texts for mark in re.findall(pattern, one)]
        pixels = np.concatenate([next(parts[kind]) for kind in order if kind in parts])
        wanted = array_kind(found.pop("pixel_kind") or ("pt" if "frames" in parts else None))
        found["pixel_values"] = list(pixels) if wanted is None else stack("pixel_values", pixels, wanted)
        return found

    def run_component(self, kind: str, media: Any, options: dict[str, Any]) -> dict[str, Any]:
        found = super().run_component(kind, media, {**options, "return_tensors": "np"})
        found["pixel_kind"] = options.get("return_tensors")
        return found

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        tokens, features = self.tokenizer, self.image_token * self.image_seq_length
        start, end = tokens.start_image_token, tokens.end_image_token
        if kind == "images":
            counts = [int(count) for count in found.pop("num_patches")]
            pixels = np.asarray(found.pop("pixel_values"))
            found["tiles"] = np.split(pixels, np.cumsum(counts)[:-1])
            return [f"{start}{features * count}{end}" for count in counts]
        found["frames"] = list(found.pop("pixel_values_videos"))
        return [
            "\n".join(f"Frame{i + 1}: {start}{features}{end}" for i in range(len(video)))
            for video in found["frames"]
        ]

    def tokens_of_images(self) -> list[str]:
        return [self.image_token, self.tokenizer.start_image_token, self.tokenizer.end_image_token]
