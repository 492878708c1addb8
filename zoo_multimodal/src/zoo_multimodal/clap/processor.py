"""Processor of CLAP: sounds and texts in one call."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import BatchFeature, ProcessorMixin


class ClapProcessor(ProcessorMixin):
    """A CLAP feature extractor and a RoBERTa tokenizer."""

    attributes = ("feature_extractor", "tokenizer")

    def __call__(
        self, text: Any = None, audios: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:  # type: ignore[override]
        """Ids of `text`, features of `audio`; `audios` is the older name of `audio`.

        Args:
            **kwargs: of the feature extractor (`sampling_rate`, ...) and of the tokenizer.
        """
        return super().__call__(text=text, audio=audios if audio is None else audio, **kwargs)
