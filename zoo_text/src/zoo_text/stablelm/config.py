"""Configuration of StableLM."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class StableLmConfig(LlamaLikeConfig):
    """Sizes and switches of a StableLM; the defaults are those of StableLM 3B."""

    model_type = "stablelm"

    vocab_size: int = 50304
    hidden_size: int = 2560
    intermediate_size: int = 6912
    num_key_value_heads: int | None = 32
    max_position_embeddings: int = 4096
    layer_norm_eps: float = 1e-5
    rope_scaling: dict[str, Any] | None = None
    use_qkv_bias: bool = False
    qk_layernorm: bool = False
    use_parallel_residual: bool = False
    hidden_dropout: float = 0.0
    partial_rotary_factor: float = 0.25
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 0
