"""Processor of SpeechT5: speech and text, either of which may be the input or the target."""

from __future__ import annotations

from typing import Any

from zoo_audio.blocks.processor import SpeechProcessor
from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature


class SpeechT5Processor(SpeechProcessor):
    """A feature extractor of waveforms and of target spectrograms, and a tokenizer."""

    def __call__(  # type: ignore[override]
        self,
        audio: Any = None,
        *,
        text: Any = None,
        audio_target: Any = None,
        text_target: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """An input, a target, or both.

        Args:
            audio, text: what the encoder takes; one of the two. audio_target, text_target: what the
                decoder shall give; its spectrograms (batch, frames, mels) or ids become `labels`, and its
                mask `decoder_attention_mask`. A target alone is returned under the names of an input.
            **kwargs: of the feature extractor and of the tokenizer; each takes what it knows.
        """
        if audio is not None and text is not None:
            raise ProcessingError("audio and text are both inputs; the target is audio_target or text_target")
        if audio_target is not None and text_target is not None:
            raise ProcessingError("audio_target and text_target are both targets; pass one of them")
        sides = self.split_keywords(kwargs)
        source = target = None
        if audio is not None:
            source = self.feature_extractor(audio, **sides["audio"])
        elif text is not None:
            source = self.tokenizer(text, **sides["text"])
        if audio_target is not None:
            target = self.feature_extractor(audio_target=audio_target, **sides["audio"])
        elif text_target is not None:
            target = self.tokenizer(text_target, **sides["text"])
        return joined(source, target, "pass audio or text, or as a target audio_target or text_target")

    def pad(
        self, input_values: Any = None, *, input_ids: Any = None, labels: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Join inputs made one by one (waveforms or ids), and `labels` (spectrograms or ids) likewise."""
        if input_values is not None and input_ids is not None:
            raise ProcessingError("input_values and input_ids are both inputs; pass one of them")
        source = target = None
        if input_values is not None:
            source = self.feature_extractor.pad(input_values, **kwargs)
        elif input_ids is not None:
            source = self.tokenizer.pad(input_ids, **kwargs)
        if labels is not None:
            first = labels if isinstance(labels, dict) else labels[0]
            side = self.tokenizer if "input_ids" in first else self.feature_extractor
            target = side.pad(labels, **kwargs)
        return joined(source, target, "pass input_values, input_ids or labels")


def joined(source: BatchFeature | None, target: BatchFeature | None, missing: str) -> BatchFeature:
    """The input with the target as its labels; either of them alone as it is."""
    if source is None or target is None:
        found = source if target is None else target
        if found is None:
            raise ProcessingError(f"SpeechT5Processor was called without anything to process: {missing}")
        return found
    source["labels"] = target["input_ids" if "input_ids" in target else "input_values"]
    if "attention_mask" in target:
        source["decoder_attention_mask"] = target["attention_mask"]
    return source
