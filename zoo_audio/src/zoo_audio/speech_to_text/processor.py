"""Processor of Speech2Text."""

from __future__ import annotations

from zoo_audio.blocks.processor import SpeechProcessor


class Speech2TextProcessor(SpeechProcessor):
    """A feature extractor of sound and a tokenizer."""
