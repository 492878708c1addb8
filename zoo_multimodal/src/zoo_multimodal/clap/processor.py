"""Processor of CLAP: sounds and texts in one call."""

from __future__ import annotations

from zoo_audio.blocks.processor import SoundTextProcessor


class ClapProcessor(SoundTextProcessor):
    """A CLAP feature extractor and a RoBERTa tokenizer."""
