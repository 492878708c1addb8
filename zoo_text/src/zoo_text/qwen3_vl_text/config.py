"""Configuration of Qwen3-VL's language model."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class Qwen3VLTextConfig(LlamaLikeConfig):
    """Sizes and switches of the language model of Qwen3-VL.

    `rope_scaling` holds `mrope_section`, the wavelengths that follow time, height and width.
    """

    model_type = "qwen3_vl_text"
    base_config_key = "text_config"

    vocab_size: int = 151936
    max_position_embeddings: int = 128000
    rms_norm_eps: float = 1e-6
    rope_theta: float = 5e6
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    intermediate_size: int = 22016
    num_key_value_heads: int | None = 32
    head_dim: int = 128
