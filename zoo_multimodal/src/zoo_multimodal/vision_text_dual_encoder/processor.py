"""Processor of a dual encoder: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class VisionTextDualEncoderProcessor(ProcessorMixin):
    """Any image processor and any tokenizer."""

    attributes = ("image_processor", "tokenizer")
