"""Configuration of Emu3's decoder."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class Emu3TextConfig(LlamaLikeConfig):
    """Sizes and switches of the decoder, a Llama's."""

    model_type = "emu3_text_model"
    base_config_key = "text_config"

    vocab_size: int = 184622
    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 9216
    rms_norm_eps: float = 1e-5
    pad_token_id: int | None = 151643
    bos_token_id: int | None = 151849
    eos_token_id: int | list[int] | None = 151850
    rope_theta: float = 1000000.0
    rope_scaling: dict[str, Any] | None = None
    mlp_bias: bool = False
    attention_bias: bool = False
    attention_dropout: float = 0.1
