"""Processor of Gemma 3: a start-of-image token becomes a paragraph of placeholders, also for each crop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import MediaTextProcessor


class Gemma3Processor(MediaTextProcessor):
    """An image processor and a tokenizer, which knows `boi_token`, `image_token` and `eoi_token`.

    image_seq_length: features of an image.
    """

    attributes = ("image_processor", "tokenizer")
    kinds_name = "token_type_ids"
    defaults = {
        "text_kwargs": {"return_mm_token_type_ids": True},
        "images_kwargs": {
            "do_convert_rgb": True,
            "do_pan_and_scan": False,
            "pan_and_scan_min_crop_size": 256,
            "pan_and_scan_max_num_crops": 4,
            "pan_and_scan_min_ratio_to_activate": 1.2,
        },
    }
    image_seq_length: int = 256

    @property
    def image_token(self) -> str:
        """The placeholder of a feature."""
        return str(self.tokenizer.image_token)

    def mark_of(self, kind: str) -> str:
        return str(self.tokenizer.boi_token)

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        start, features = self.tokenizer.boi_token, self.image_token * self.image_seq_length
        paragraph = f"\n\n{start}{features}{self.tokenizer.eoi_token}\n\n"
        texts: list[int | str] = []
        for crops in found.pop("num_crops"):
            text = paragraph
            if crops:
                text = (
                    f"Here is the original image {paragraph} and here are some crops to help you see better "
                )
                text += " ".join([paragraph] * int(crops))
            texts.append(text)
        return texts
