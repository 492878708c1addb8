"""Configuration of Seed-OSS."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class SeedOssConfig(LlamaLikeConfig):
    """Sizes and switches of a Seed-OSS; the defaults are those of the 36B model."""

    model_type = "seed_oss"

    vocab_size: int = 155136
    intermediate_size: int = 27648
    num_hidden_layers: int = 64
    num_attention_heads: int = 80
    num_key_value_heads: int | None = 8
    head_dim: int | None = 128
    max_position_embeddings: int = 524288
    rms_norm_eps: float = 1e-6
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    pretraining_tp: int = 1
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = True
    attention_out_bias: bool = False
    attention_dropout: float = 0.1
    residual_dropout: float = 0.1
    mlp_bias: bool = False
