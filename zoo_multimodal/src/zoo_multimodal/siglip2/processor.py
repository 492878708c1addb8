"""Processor of SigLIP 2: images and texts in one call; texts are padded and cut to 64 tokens."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class Siglip2Processor(ProcessorMixin):
    """A SigLIP 2 image processor and a Gemma tokenizer."""

    attributes = ("image_processor", "tokenizer")
    defaults = {
        "text_kwargs": {"padding": "max_length", "truncation": True, "max_length": 64},
        "images_kwargs": {"max_num_patches": 256, "patch_size": 16},
    }
