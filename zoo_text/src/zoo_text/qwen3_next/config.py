"""Configuration of Qwen3-Next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_text.qwen2_moe.config import QwenMoeConfig


class Qwen3NextConfig(QwenMoeConfig):
    """Sizes and switches of a Qwen3-Next.

    `layer_types` says "linear_attention" or "full_attention" for each layer; by default every fourth is full,
    or every `full_attention_interval`-th where a file has that.
    """

    model_type = "qwen3_next"

    num_hidden_layers: int = 48
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 2
    max_position_embeddings: int = 32768
    partial_rotary_factor: float = 0.25
    attention_bias: bool = False
    head_dim: int = 256
    linear_conv_kernel_dim: int = 4
    linear_key_head_dim: int = 128
    linear_value_head_dim: int = 128
    linear_num_key_heads: int = 16
    linear_num_value_heads: int = 32
    moe_intermediate_size: int = 512
    shared_expert_intermediate_size: int = 512
    num_experts_per_tok: int = 10
    num_experts: int = 512
    norm_topk_prob: bool = True
    layer_types: list[str] | None = None
    rope_scaling: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer_types is None:
            every = getattr(self, "full_attention_interval", None) or 4
            full = [(i + 1) % every == 0 for i in range(self.num_hidden_layers)]
            self.layer_types = ["full_attention" if each else "linear_attention" for each in full]

    def check(self) -> Iterator[tuple[str, str]]:
        if any(kind not in ("full_attention", "linear_attention") for kind in self.layer_types or ()):
            yield "layer_types", 'its entries must be "full_attention" or "linear_attention"'
        if self.linear_num_value_heads % self.linear_num_key_heads:
            yield "linear_num_value_heads", "must be a multiple of linear_num_key_heads"
