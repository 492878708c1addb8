"""Processor of Kyutai's speech-to-text."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class KyutaiSpeechToTextProcessor(ProcessorMixin):
    """A feature extractor of sound and a tokenizer."""

    attributes = ("feature_extractor", "tokenizer")
    defaults = {"audio_kwargs": {"sampling_rate": 24000}, "common_kwargs": {"return_tensors": "pt"}}
