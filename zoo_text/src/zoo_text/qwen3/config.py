"""Configuration of Qwen3."""

from __future__ import annotations

from zoo_text.qwen2.config import Qwen2Config


class Qwen3Config(Qwen2Config):
    """Sizes and switches of a Qwen3."""

    model_type = "qwen3"

    head_dim: int = 128
    attention_bias: bool = False
