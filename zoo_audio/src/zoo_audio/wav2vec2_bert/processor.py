"""Processor of W2v-BERT."""

from __future__ import annotations

from zoo_audio.blocks.processor import SpeechProcessor


class Wav2Vec2BertProcessor(SpeechProcessor):
    """A feature extractor of filterbanks and a tokenizer."""
