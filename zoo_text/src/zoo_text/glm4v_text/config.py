"""Configuration of the language model of GLM-4.1V."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Glm4vTextConfig(PretrainedConfig):
    """Sizes and switches of the language model of GLM-4.1V."""

    model_type = "glm4v_text"

    vocab_size: int = 151552
    hidden_size: int = 4096
    intermediate_size: int = 13696
    num_hidden_layers: int = 40
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 2
    hidden_act: str = "silu"
    max_position_embeddings: int = 32768
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-05
    use_cache: bool = True
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    attention_dropout: float = 0.0
    rope_scaling: dict[str, Any] | None = None
    image_token_id: int | None = None
    video_token_id: int | None = None
