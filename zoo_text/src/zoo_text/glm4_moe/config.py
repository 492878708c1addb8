"""Configuration of GLM-4.5."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Glm4MoeLikeConfig(PretrainedConfig):
    """The fields of GLM-4.5 and of the language model of GLM-4.5V.

    Checkpoints give a `head_dim`; without one it is what is left of hidden_size / num_attention_heads.
    """

    heads_divide_width = False

    vocab_size: int = 151552
    hidden_size: int = 4096
    intermediate_size: int = 10944
    num_hidden_layers: int = 46
    num_attention_heads: int = 96
    partial_rotary_factor: float = 0.5
    num_key_value_heads: int | None = 8
    hidden_act: str = "silu"
    max_position_embeddings: int = 131072
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-05
    use_cache: bool = True
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
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


class Glm4MoeConfig(Glm4MoeLikeConfig):
    """Sizes and switches of GLM-4.5."""

    model_type = "glm4_moe"

    use_qk_norm: bool = False
