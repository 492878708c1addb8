"""Processor of SeamlessM4T: speech or text, and the text that it is translated to."""

from __future__ import annotations

from zoo_audio.blocks.processor import SoundTextProcessor


class SeamlessM4TProcessor(SoundTextProcessor):
    """A feature extractor of speech and a tokenizer that knows languages."""
