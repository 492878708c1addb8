"""Processors that join a feature extractor of sound with a tokenizer."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin


class SpeechProcessor(ProcessorMixin):
    """Sound to features, text to ids; with both, the ids are the labels."""

    attributes = ("feature_extractor", "tokenizer")

    def __call__(  # type: ignore[override]
        self, audio: Any = None, *, text: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Features of `audio`, ids of `text`, or features with `labels` of both.

        Args:
            **kwargs: of the feature extractor and of the tokenizer; each takes what it knows.
        """
        for name in ("raw_speech", "raw_audio"):
            if audio is None:
                audio = kwargs.pop(name, None)
        if audio is None and text is None:
            raise ProcessingError(f"{type(self).__name__} was called without audio or text")
        sides = self.split_keywords(kwargs)
        if audio is None:
            return self.tokenizer(text, **sides["text"])
        inputs: BatchFeature = self.feature_extractor(audio, **sides["audio"])
        if text is not None:
            inputs["labels"] = self.tokenizer(text, **sides["text"])["input_ids"]
        return inputs

    def split_keywords(self, kwargs: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Each keyword for the side that knows it; those of both, such as `padding`, for both."""
        known = self.feature_extractor.call_keywords()
        return {
            "audio": {k: v for k, v in kwargs.items() if k in known or k == "return_tensors"},
            "text": {k: v for k, v in kwargs.items() if k not in known or k in _BOTH},
        }

    def pad(self, input_features: Any = None, *, labels: Any = None, **kwargs: Any) -> BatchFeature:
        """Join features made one by one, and `labels` (of the tokenizer) likewise."""
        if input_features is None:
            return self.tokenizer.pad(labels, **kwargs)
        found: BatchFeature = self.feature_extractor.pad(input_features, **kwargs)
        if labels is not None:
            found["labels"] = self.tokenizer.pad(labels, **kwargs)["input_ids"]
        return found


class SoundTextProcessor(ProcessorMixin):
    """Sounds and texts to one batch, for models that take either or both."""

    attributes = ("feature_extractor", "tokenizer")

    def __call__(
        self, text: Any = None, audios: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:  # type: ignore[override]
        """Ids of `text`, features of `audio`; `audios` is the older name of `audio`.

        Args:
            **kwargs: of the feature extractor (`sampling_rate`, ...) and of the tokenizer.
        """
        audio = audios if audio is None else audio
        if audio is None or text is None:
            return super().__call__(text=text, audio=audio, **kwargs)
        both = super().__call__(audio=audio, **kwargs)
        both.update(super().__call__(text=text, **kwargs))  # an attention_mask is the text's
        return both


_BOTH = frozenset(["padding", "max_length", "truncation", "pad_to_multiple_of", "return_attention_mask"])
