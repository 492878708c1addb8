"""Processor of CLIP: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class CLIPProcessor(ProcessorMixin):
    """A CLIP image processor and a CLIP tokenizer."""

    attributes = ("image_processor", "tokenizer")
