"""Configurations of Qwen3-VL with experts and its image tower."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.qwen3_vl.config import Qwen3VLConfig, Qwen3VLVisionConfig


class Qwen3VLMoeVisionConfig(Qwen3VLVisionConfig):
    """As of Qwen3-VL."""

    model_type = "qwen3_vl_moe"


class Qwen3VLMoeConfig(Qwen3VLConfig):
    """As of Qwen3-VL, with a language model of experts."""

    model_type = "qwen3_vl_moe"

    vision_config: Qwen3VLMoeVisionConfig = sub_config(Qwen3VLMoeVisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config("qwen3_vl_moe_text")
