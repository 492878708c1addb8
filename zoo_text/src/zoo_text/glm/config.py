"""Configuration of GLM."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class GlmConfig(PretrainedConfig):
    """Sizes and switches of GLM."""

    model_type = "glm"

    vocab_size: int = 151552
    hidden_size: int = 4096
    intermediate_size: int = 13696
    num_hidden_layers: int = 40
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 2
    partial_rotary_factor: float = 0.5
    head_dim: int | None = 128
    hidden_act: str = "silu"
    attention_dropout: float = 0.0
    max_position_embeddings: int = 131072
    initializer_range: float = 0.02
    rms_norm_eps: float = 1.5625e-07
    use_cache: bool = True
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    pad_token_id: int | None = 151329
    eos_token_id: int | list[int] | None = field([151329, 151336, 151338])
    bos_token_id: int | None = None
    attention_bias: bool = True
