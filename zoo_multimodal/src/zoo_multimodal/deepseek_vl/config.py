"""Configuration of DeepSeek-VL."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class DeepseekVLConfig(PretrainedConfig):
    """A SigLIP image tower and a Llama."""

    model_type = "deepseek_vl"

    text_config: PretrainedConfig = sub_config("llama")
    vision_config: PretrainedConfig = sub_config("siglip_vision_model")
    image_token_id: int = 100015
