"""Processor of BLIP: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class BlipProcessor(ProcessorMixin):
    """A BLIP image processor and a BERT tokenizer."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"text_kwargs": {"return_token_type_ids": False}}
