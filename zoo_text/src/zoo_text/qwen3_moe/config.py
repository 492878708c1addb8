"""Configuration of Qwen3-MoE."""

from __future__ import annotations

from zoo_text.qwen2_moe.config import QwenMoeConfig


class Qwen3MoeConfig(QwenMoeConfig):
    """Sizes and switches of a Qwen3-MoE."""

    model_type = "qwen3_moe"

    intermediate_size: int = 6144
    num_key_value_heads: int | None = 4
    max_position_embeddings: int = 32768
    attention_bias: bool = False
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    moe_intermediate_size: int = 768
    num_experts_per_tok: int = 8
    num_experts: int = 128
    output_router_logits: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.use_sliding_window:
            self.sliding_window = None
