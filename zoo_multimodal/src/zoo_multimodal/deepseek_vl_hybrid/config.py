"""Configuration of DeepSeek-VL with two image towers."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.deepseek_vl.config import DeepseekVLConfig


class DeepseekVLHybridConfig(DeepseekVLConfig):
    """As of DeepSeek-VL, with Segment Anything's tower for images of high resolution."""

    model_type = "deepseek_vl_hybrid"

    high_res_vision_config: PretrainedConfig = sub_config("sam_vision_model")
