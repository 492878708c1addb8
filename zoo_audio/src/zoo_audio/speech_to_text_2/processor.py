"""Processor of Speech2Text 2."""

from __future__ import annotations

from zoo_audio.blocks.processor import SpeechProcessor


class Speech2Text2Processor(SpeechProcessor):
    """A feature extractor of sound and a tokenizer."""
