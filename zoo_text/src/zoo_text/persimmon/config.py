"""Configuration of Persimmon."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class PersimmonConfig(PretrainedConfig):
    """Sizes and switches of a Persimmon; the defaults are those of Persimmon 8B."""

    model_type = "persimmon"

    vocab_size: int = 262144
    hidden_size: int = 4096
    intermediate_size: int = 16384
    num_hidden_layers: int = 36
    num_attention_heads: int = 64
    hidden_act: str = "relu2"
    max_position_embeddings: int = 16384
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    use_cache: bool = True
    tie_word_embeddings: bool = False
    rope_theta: float = 25000.0
    rope_scaling: dict[str, Any] | None = None
    qk_layernorm: bool = True
    hidden_dropout: float = 0.0
    attention_dropout: float = 0.0
    partial_rotary_factor: float = 0.5
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
