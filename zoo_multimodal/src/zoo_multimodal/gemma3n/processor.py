"""Processor of Gemma 3n: an image or a sound is a paragraph of as many placeholders as all have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import MediaTextProcessor


class Gemma3nProcessor(MediaTextProcessor):
    """A feature extractor, an image processor, and a tokenizer that knows the tokens around both media.

    audio_seq_length, image_seq_length: features of a sound and of an image.
    """

    attributes = ("feature_extractor", "image_processor", "tokenizer")
    kinds_name = "token_type_ids"
    defaults = {"text_kwargs": {"padding": False, "return_mm_token_type_ids": True}}
    audio_seq_length: int = 188
    image_seq_length: int = 256

    @property
    def image_token(self) -> str:
        """The placeholder of an image's feature, and the mark of an image."""
        return str(self.tokenizer.image_token)

    @property
    def audio_token(self) -> str:
        """The placeholder of a sound's feature, and the mark of a sound."""
        return str(self.tokenizer.audio_token)

    def kinds_of_tokens(self) -> dict[str, int]:
        return {self.image_token: 1, self.audio_token: 3}

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> list[int | str]:
        if kind == "images":
            start, end, token, count = "boi_token", "eoi_token", self.image_token, self.image_seq_length
            number = len(found["pixel_values"])
        else:
            start, end, token, count = "boa_token", "eoa_token", self.audio_token, self.audio_seq_length
            number = len(found["input_features"])
        paragraph = f"\n\n{getattr(self.tokenizer, start)}{token * count}{getattr(self.tokenizer, end)}\n\n"
        return [paragraph] * number
