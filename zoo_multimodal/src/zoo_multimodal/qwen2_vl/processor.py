"""Processor of Qwen2-VL."""

from __future__ import annotations

from zoo_core.processing import ProcessorMixin


class Qwen2VLProcessor(ProcessorMixin):
    """An image processor, a tokenizer and a video processor."""

    attributes = ("image_processor", "tokenizer", "video_processor")
