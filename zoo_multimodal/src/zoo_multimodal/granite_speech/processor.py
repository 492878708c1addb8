"""Processor of Granite Speech: a mark in the text becomes a placeholder for each feature of a sound."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin, expand_placeholders, share_out
from zoo_core.processing.placeholders import text_list


class GraniteSpeechProcessor(ProcessorMixin):
    """A feature extractor and a tokenizer. audio_token: the mark."""

    attributes = ("audio_processor", "tokenizer")
    audio_token: str = "<|audio|>"

    def __call__(  # type: ignore[override]
        self, text: Any = None, audio: Any = None, device: str = "cpu", **kwargs: Any
    ) -> BatchFeature:
        """Ids of `text`, and frames of `audio`, one sound for each mark.

        Args:
            device: where the frames are computed. **kwargs: of the tokenizer.

        Raises:
            ProcessingError: there is no text, or marks and sounds do not agree in number.
        """
        if text is None:
            raise ProcessingError(f"{type(self).__name__} needs text, with a mark for each sound")
        texts, found = text_list(text), {}
        if audio is not None:
            found = dict(self.audio_processor(audio, device=device))
            sizes = found.pop("audio_embed_sizes")
            shared: Any = share_out(sizes, texts, self.audio_token, what="sound")
            texts = expand_placeholders(texts, self.audio_token, shared, what="sound")
        return BatchFeature({**self.tokenizer(texts, **kwargs), **found})
