"""Processor of CLVP."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin


class ClvpProcessor(ProcessorMixin):
    """A feature extractor of a voice and a tokenizer of text."""

    attributes = ("feature_extractor", "tokenizer")

    def __call__(  # type: ignore[override]
        self, raw_speech: Any = None, text: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Spectrograms of `raw_speech` (also under the name `audio`), ids of `text`, or both.

        The `attention_mask` is the text's where there is one.
        """
        raw_speech = kwargs.pop("audio", None) if raw_speech is None else raw_speech
        if raw_speech is None and text is None:
            raise ProcessingError("ClvpProcessor was called without raw_speech or text")
        known = self.feature_extractor.call_keywords()
        both = {"return_tensors", "padding", "max_length", "truncation", "return_attention_mask"}
        found: dict[str, Any] = {}
        if raw_speech is not None:
            options = {name: v for name, v in kwargs.items() if name in known | {"return_tensors"}}
            found |= self.feature_extractor(raw_speech, **options)
        if text is not None:
            options = {name: v for name, v in kwargs.items() if name not in known or name in both}
            found |= self.tokenizer(text, **options)
        return BatchFeature(found)
