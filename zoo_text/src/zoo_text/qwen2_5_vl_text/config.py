"""Configuration of Qwen2.5-VL's language model."""

from __future__ import annotations

from zoo_text.qwen2_vl_text.config import Qwen2VLTextConfig


class Qwen2_5_VLTextConfig(Qwen2VLTextConfig):
    """Sizes and switches of the language model of Qwen2.5-VL."""

    model_type = "qwen2_5_vl_text"
