"""Configuration of Qwen2-MoE."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class Qwen2MoeConfig(LlamaLikeConfig):
    """Sizes and switches of a Qwen2-MoE; the defaults are those of Qwen1.5-MoE-A2.7B.

    Every `decoder_sparse_step`-th layer has experts, except those in `mlp_only_layers`.
    """

    model_type = "qwen2_moe"

    vocab_size: int = 151936
    hidden_size: int = 2048
    intermediate_size: int = 5632
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 16
    max_position_embeddings: int = 32768
    rms_norm_eps: float = 1e-6
    rope_scaling: dict[str, Any] | None = None
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    max_window_layers: int = 28
    decoder_sparse_step: int = 1
    moe_intermediate_size: int = 1408
    shared_expert_intermediate_size: int = 5632
    num_experts_per_tok: int = 4
    num_experts: int = 60
    norm_topk_prob: bool = False
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    mlp_only_layers: list[int] | None = None
    qkv_bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.use_sliding_window:
            self.sliding_window = None
        self.mlp_only_layers = self.mlp_only_layers or []
