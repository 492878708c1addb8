"""Processor of AltCLIP: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class AltCLIPProcessor(ProcessorMixin):
    """A CLIP image processor and an XLM-RoBERTa tokenizer."""

    attributes = ("image_processor", "tokenizer")
