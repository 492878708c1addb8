"""Processor of FLAVA: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class FlavaProcessor(ProcessorMixin):
    """A FLAVA image processor and a BERT tokenizer."""

    attributes = ("image_processor", "tokenizer")
