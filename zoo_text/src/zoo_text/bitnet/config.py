"""Configuration of BitNet b1.58."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class BitNetConfig(PretrainedConfig):
    """Sizes and switches of BitNet b1.58."""

    model_type = "bitnet"

    vocab_size: int = 128256
    hidden_size: int = 2560
    intermediate_size: int = 6912
    num_hidden_layers: int = 30
    num_attention_heads: int = 20
    num_key_value_heads: int | None = 5
    hidden_act: str = "relu2"
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-05
    use_cache: bool = True
    pad_token_id: int | None = None
    bos_token_id: int | None = 128000
    eos_token_id: int | list[int] | None = 128001
    tie_word_embeddings: bool = False
    rope_theta: float = 500000.0
    attention_bias: bool = False
    attention_dropout: float = 0.0
