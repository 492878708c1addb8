"""Processor of BridgeTower: images and texts in one call."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class BridgeTowerProcessor(ProcessorMixin):
    """A BridgeTower image processor and a RoBERTa tokenizer."""

    attributes = ("image_processor", "tokenizer")
    defaults = {"images_kwargs": {"do_normalize": True, "do_center_crop": True}}
