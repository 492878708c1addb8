"""Configuration of GPT-NeoX."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class GPTNeoXConfig(PretrainedConfig):
    """Sizes and switches of a GPT-NeoX; the defaults are those of GPT-NeoX 20B."""

    model_type = "gpt_neox"
    attribute_map = {"partial_rotary_factor": "rotary_pct", "rope_theta": "rotary_emb_base"}

    vocab_size: int = 50432
    hidden_size: int = 6144
    num_hidden_layers: int = 44
    num_attention_heads: int = 64
    intermediate_size: int = 24576
    hidden_act: str = "gelu"
    rotary_pct: float = 0.25
    rotary_emb_base: float = 10000
    attention_dropout: float = 0.0
    hidden_dropout: float = 0.0
    classifier_dropout: float | None = 0.1
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    use_cache: bool = True
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = False
    use_parallel_residual: bool = True
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = True
