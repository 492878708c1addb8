"""Configuration of GPT-NeoX Japanese."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class GPTNeoXJapaneseConfig(PretrainedConfig):
    """Sizes and switches of a GPT-NeoX Japanese; the defaults are those of the 2.7B model."""

    model_type = "gpt_neox_japanese"

    vocab_size: int = 32000
    hidden_size: int = 2560
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    intermediate_multiple_size: int = 4
    hidden_act: str = "gelu"
    rotary_pct: float = 1.0
    rotary_emb_base: float = 10000
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    use_cache: bool = True
    bos_token_id: int | None = 31996
    eos_token_id: int | list[int] | None = 31999
    rope_scaling: dict[str, Any] | None = None
    attention_dropout: float = 0.1
    hidden_dropout: float = 0.0
    partial_rotary_factor: float | None = None
    rope_theta: float | None = None

    def __post_init__(self) -> None:
        self.partial_rotary_factor = self.rotary_pct
        self.rope_theta = self.rotary_emb_base
