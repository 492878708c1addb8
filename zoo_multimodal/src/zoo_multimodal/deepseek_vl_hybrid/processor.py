"""Processor of DeepSeek-VL with two image towers."""

from __future__ import annotations

from zoo_multimodal.deepseek_vl.processor import DeepseekVLProcessor


class DeepseekVLHybridProcessor(DeepseekVLProcessor):
    """As of DeepSeek-VL; images come in two sizes."""
