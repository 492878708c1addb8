"""Configuration of Qwen3-MoE."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class Qwen3MoeConfig(LlamaLikeConfig):
    """Sizes and switches of a Qwen3-MoE.

    Every `decoder_sparse_step`-th layer has experts, except those in `mlp_only_layers`.
    """

    model_type = "qwen3_moe"

    vocab_size: int = 151936
    hidden_size: int = 2048
    intermediate_size: int = 6144
    num_hidden_layers: int = 24
    num_key_value_heads: int | None = 4
    max_position_embeddings: int = 32768
    rms_norm_eps: float = 1e-6
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    decoder_sparse_step: int = 1
    moe_intermediate_size: int = 768
    num_experts_per_tok: int = 8
    num_experts: int = 128
    norm_topk_prob: bool = False
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    mlp_only_layers: list[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.use_sliding_window:
            self.sliding_window = None
        self.mlp_only_layers = self.mlp_only_layers or []
