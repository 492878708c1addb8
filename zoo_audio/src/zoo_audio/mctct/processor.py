"""Processor of M-CTC-T."""

from __future__ import annotations

from zoo_audio.blocks.processor import SpeechProcessor


class MCTCTProcessor(SpeechProcessor):
    """A feature extractor of log-mel frames and a tokenizer."""
