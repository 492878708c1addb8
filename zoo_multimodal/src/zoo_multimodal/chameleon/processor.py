"""Processor of Chameleon: each image mark becomes placeholders between two tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.processing import BatchFeature
from zoo_multimodal.media_text import MediaTextProcessor


class ChameleonProcessor(MediaTextProcessor):
    """An image processor and a tokenizer. image_seq_length: tokens of an image. image_token: the mark."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"common_kwargs": {"return_tensors": "pt"}}
    image_seq_length: int = 1024
    image_token: str = "<image>"

    def replacements(self, kind: str, found: dict[str, Any], options: Mapping[str, Any]) -> str:
        start = getattr(self.tokenizer, "boi_token", "<racm3:break>")
        end = getattr(self.tokenizer, "eoi_token", "<eoss>")
        return f"{start}{self.image_token * self.image_seq_length}{end}"

    def __call__(  # type: ignore[override]
        self, images: Any = None, text: Any = None, *, return_for_text_completion: bool = False, **kwargs: Any
    ) -> BatchFeature:
        """As any; a separator ends each text, as in a conversation, unless `return_for_text_completion`."""
        options = dict(kwargs.pop("text_kwargs", None) or {})
        whole = options.pop("return_for_text_completion", False) or return_for_text_completion
        if text is not None and not whole:
            end = self.tokenizer.sep_token or ""
            text = f"{text}{end}" if isinstance(text, str) else [f"{one}{end}" for one in text]
        return super().__call__(images, text, text_kwargs=options, **kwargs)
