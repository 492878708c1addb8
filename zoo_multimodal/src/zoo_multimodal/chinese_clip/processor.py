"""Processor of Chinese-CLIP: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class ChineseCLIPProcessor(ProcessorMixin):
    """A Chinese-CLIP image processor and a BERT tokenizer."""

    attributes = ("image_processor", "tokenizer")
