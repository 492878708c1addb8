"""Processor of ViLT: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class ViltProcessor(ProcessorMixin):
    """A ViLT image processor and a BERT tokenizer."""

    attributes = ("image_processor", "tokenizer")
