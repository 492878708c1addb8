"""Processor of wav2vec 2.0 and its kin."""

from __future__ import annotations

from zoo_audio.blocks.processor import SpeechProcessor


class Wav2Vec2Processor(SpeechProcessor):
    """A feature extractor of sound and a tokenizer."""
