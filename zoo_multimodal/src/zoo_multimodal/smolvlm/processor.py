"""Processor of SmolVLM."""

from __future__ import annotations

from zoo_multimodal.idefics3.processor import Idefics3Processor


class SmolVLMProcessor(Idefics3Processor):
    """As of Idefics3."""

    attributes = ("image_processor", "tokenizer", "video_processor")
    optional_attributes = ("video_processor",)
