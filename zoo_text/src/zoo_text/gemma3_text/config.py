"""Configuration of the language model of Gemma 3."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Gemma3TextConfig(PretrainedConfig):
    """Sizes and switches of the language model of Gemma 3."""

    model_type = "gemma3_text"

    vocab_size: int = 262208
    hidden_size: int = 2304
    intermediate_size: int = 9216
    num_hidden_layers: int = 26
    num_attention_heads: int = 8
    num_key_value_heads: int | None = 4
    head_dim: int | None = 256
    hidden_activation: str | None = "gelu_pytorch_tanh"
    max_position_embeddings: int = 131072
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-06
    use_cache: bool = True
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    bos_token_id: int | None = 2
    tie_word_embeddings: bool = True
    rope_theta: float = 1000000.0
    attention_bias: bool = False
    attention_dropout: float = 0.0
    query_pre_attn_scalar: int = 256
    sliding_window: int | None = 4096
    layer_types: list[str] | None = None
    final_logit_softcapping: float | None = None
    attn_logit_softcapping: float | None = None
    rope_scaling: dict[str, Any] | None = None
    rope_local_base_freq: float = 10000.0
    use_bidirectional_attention: bool = False

    def __post_init__(self) -> None:
        if self.layer_types is None:  # the last of each group sees everything
            group = getattr(self, "sliding_window_pattern", 6)
            kinds = ("sliding_attention", "full_attention")
            self.layer_types = [kinds[(i + 1) % group == 0] for i in range(self.num_hidden_layers)]
