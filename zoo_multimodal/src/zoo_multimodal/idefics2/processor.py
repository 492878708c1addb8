"""Processor of Idefics2: a mark becomes a fixed number of placeholders between two special tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_multimodal.media_text import SampledImagesProcessor

FAKE_TOKEN, END_OF_UTTERANCE = "<fake_token_around_image>", "<end_of_utterance>"
PARTS = 5
"""An image that is split comes as four quarters and itself."""


class AroundImagesProcessor(SampledImagesProcessor):
    """Special tokens stand around images; a tokenizer that lacks them gets them."""

    attributes = ("image_processor", "tokenizer")
    image_token = "<image>"

    def __init__(self, *components: Any, **values: Any) -> None:
        super().__init__(*components, **values)
        known = self.tokenizer.get_vocab()
        missing = [one for one in (FAKE_TOKEN, self.image_token, END_OF_UTTERANCE) if one not in known]
        self.tokenizer.add_tokens(missing, special_tokens=True)


class Idefics2Processor(AroundImagesProcessor):
    """An image processor and a tokenizer. image_seq_len: features of an image or of a part of it."""

    image_seq_len: int = 64

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> str:
        part = f"{FAKE_TOKEN}{self.image_token * self.image_seq_len}{FAKE_TOKEN}"
        split = options.get("do_image_splitting", self.image_processor.do_image_splitting)
        return part * (PARTS if split else 1)

    def encode(self, texts: list[str], options: dict[str, Any]) -> dict[str, Any]:
        # Neighbouring images share the special token between them.
        return super().encode([text.replace(FAKE_TOKEN * 2, FAKE_TOKEN) for text in texts], options)
