"""Configuration of Open-Llama."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class OpenLlamaConfig(PretrainedConfig):
    """Sizes and switches of an Open-Llama."""

    model_type = "open-llama"

    vocab_size: int = 100000
    hidden_size: int = 4096
    intermediate_size: int = 11008
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    hidden_act: str = "silu"
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-6
    use_cache: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = False
    use_memory_efficient_attention: bool = True
    hidden_dropout_prob: float = 0.1
    attention_dropout_prob: float = 0.1
    use_stable_embedding: bool = True
    shared_input_output_embedding: bool = True
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
