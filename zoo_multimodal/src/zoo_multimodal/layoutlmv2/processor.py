"""Processors of LayoutLMv2 and LayoutXLM: a page as `image`, and its words with their boxes."""

from __future__ import annotations

from zoo_multimodal.layoutlmv3.processor import LayoutLMv3Processor


class LayoutLMv2Processor(LayoutLMv3Processor):
    """LayoutLMv3's, of pages and words that LayoutLMv2 reads."""

    pixels_name = "image"


class LayoutXLMProcessor(LayoutLMv2Processor):
    """The same with LayoutXLM's tokenizer."""
