"""Processor of ALIGN: images and texts in one call; texts are padded to 64 tokens."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class AlignProcessor(ProcessorMixin):
    """An EfficientNet image processor and a BERT tokenizer."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"text_kwargs": {"padding": "max_length", "max_length": 64}}
