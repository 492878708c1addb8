"""Configuration of Cohere 2."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Cohere2Config(PretrainedConfig):
    """Sizes and switches of a Cohere 2; the defaults are those of Command R7B's family."""

    model_type = "cohere2"

    vocab_size: int = 256000
    hidden_size: int = 8192
    intermediate_size: int = 22528
    logit_scale: float = 0.0625
    num_hidden_layers: int = 40
    num_attention_heads: int = 64
    num_key_value_heads: int | None = None
    hidden_act: str = "silu"
    max_position_embeddings: int = 8192
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    use_cache: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 5
    eos_token_id: int | list[int] | None = 255001
    tie_word_embeddings: bool = True
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    attention_dropout: float = 0.0
    sliding_window: int | None = 4096
    layer_types: list[str] | None = None

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        self.head_dim = self.hidden_size // self.num_attention_heads
        if self.layer_types is None:  # every fourth layer sees everything
            kinds = ("sliding_attention", "full_attention")
            self.layer_types = [kinds[i % 4 == 3] for i in range(self.num_hidden_layers)]
