"""Processor of SigLIP: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class SiglipProcessor(ProcessorMixin):
    """A SigLIP image processor and a SigLIP tokenizer."""

    attributes = ("image_processor", "tokenizer")
