"""Configuration of the language model of GLM-4.5V."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Glm4vMoeTextConfig(PretrainedConfig):
    """Sizes and switches of the language model of GLM-4.5V."""

    model_type = "glm4v_moe_text"

    vocab_size: int = 151424
    hidden_size: int = 4096
    intermediate_size: int = 10944
    num_hidden_layers: int = 46
    num_attention_heads: int = 96
    partial_rotary_factor: float = 0.5
    num_key_value_heads: int | None = 8
    hidden_act: str = "silu"
    max_position_embeddings: int = 65536
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-05
    use_cache: bool = True
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = True
    attention_dropout: float = 0.0
    moe_intermediate_size: int = 1408
    num_experts_per_tok: int | None = 8
    n_shared_experts: int | None = 1
    n_routed_experts: int | None = 128
    routed_scaling_factor: float = 1.0
    n_group: int = 1
    topk_group: int = 1
    first_k_dense_replace: int = 1
    norm_topk_prob: bool = True
