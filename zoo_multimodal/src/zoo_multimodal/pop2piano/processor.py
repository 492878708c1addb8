"""Processor of Pop2Piano: songs to spectrograms, notes to ids, and ids to notes and MIDI."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_core.tokenization import BatchEncoding

_SHARED = ("return_attention_mask", "return_tensors")


class Pop2PianoProcessor(ProcessorMixin):
    """A Pop2PianoFeatureExtractor and a Pop2PianoTokenizer."""

    attributes = ("feature_extractor", "tokenizer")

    def __call__(  # type: ignore[override]
        self,
        audio: Any = None,
        sampling_rate: Any = None,
        steps_per_beat: int = 2,
        resample: bool | None = True,
        notes: Any = None,
        padding: Any = False,
        truncation: Any = None,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchFeature | BatchEncoding:
        """Features of `audio`, ids of `notes`; with both, the `token_ids` beside the features.

        Args:
            padding, truncation, max_length, pad_to_multiple_of: of the notes.
            **kwargs: `return_attention_mask` and `return_tensors` of both, `beat_times` of the songs.
        """
        if notes is None and (audio is None or sampling_rate is None):
            raise ProcessingError("Pop2PianoProcessor takes audio with its sampling_rate, or notes, or both")
        shared = {name: kwargs[name] for name in _SHARED if name in kwargs}
        ids: BatchEncoding | None = None
        if notes is not None:
            ids = self.tokenizer(
                notes,
                padding=padding,
                truncation=truncation,
                max_length=max_length,
                pad_to_multiple_of=pad_to_multiple_of,
                **shared,
            )
            if audio is None:
                return ids
        found: BatchFeature = self.feature_extractor(
            audio, sampling_rate, steps_per_beat=steps_per_beat, resample=resample, **kwargs
        )
        if ids is not None:
            found["token_ids"] = ids["token_ids"]
        return found

    def batch_decode(  # type: ignore[override]
        self, token_ids: Any, feature_extractor_output: Any, return_midi: bool = True
    ) -> BatchEncoding:
        """As of the tokenizer: `notes` and `pretty_midi_objects` of ids (segments, length)."""
        found: BatchEncoding = self.tokenizer.batch_decode(token_ids, feature_extractor_output, return_midi)
        return found
