"""Configuration of dots.llm1."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Dots1Config(PretrainedConfig):
    """Sizes and switches of dots.llm1."""

    model_type = "dots1"

    vocab_size: int = 152064
    hidden_size: int = 4608
    intermediate_size: int = 10944
    moe_intermediate_size: int = 1408
    num_hidden_layers: int = 62
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 32
    n_shared_experts: int | None = None
    n_routed_experts: int | None = None
    n_group: int = 1
    topk_group: int = 1
    num_experts_per_tok: int | None = None
    first_k_dense_replace: int = 0
    norm_topk_prob: bool = False
    hidden_act: str = "silu"
    max_position_embeddings: int = 2048
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-06
    use_cache: bool = True
    tie_word_embeddings: bool = False
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    attention_dropout: float = 0.0
    routed_scaling_factor: float = 1.0
    sliding_window: int | None = 4096
    max_window_layers: int = 62
    layer_types: list[str] | None = None

    def __post_init__(self) -> None:
        if self.layer_types is None:  # the first `max_window_layers` see everything
            windowed = self.sliding_window is not None
            kinds = ("full_attention", "sliding_attention")
            full = self.max_window_layers if windowed else self.num_hidden_layers
            self.layer_types = [kinds[i >= full] for i in range(self.num_hidden_layers)]
