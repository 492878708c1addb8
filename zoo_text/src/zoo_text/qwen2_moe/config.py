"""Configuration of Qwen2-MoE."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class QwenMoeConfig(LlamaLikeConfig):
    """The fields of all Qwens with experts.

    Every `decoder_sparse_step`-th layer has experts, except those in `mlp_only_layers`.
    """

    vocab_size: int = 151936
    hidden_size: int = 2048
    num_hidden_layers: int = 24
    rms_norm_eps: float = 1e-6
    rope_scaling: dict[str, Any] | None = None
    decoder_sparse_step: int = 1
    moe_intermediate_size: int = 1408
    num_experts_per_tok: int = 4
    num_experts: int = 60
    norm_topk_prob: bool = False
    router_aux_loss_coef: float = 0.001
    mlp_only_layers: list[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.mlp_only_layers = self.mlp_only_layers or []


class Qwen2MoeConfig(QwenMoeConfig):
    """Sizes and switches of a Qwen2-MoE; the defaults are those of Qwen1.5-MoE-A2.7B."""

    model_type = "qwen2_moe"

    intermediate_size: int = 5632
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 16
    max_position_embeddings: int = 32768
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    max_window_layers: int = 28
    shared_expert_intermediate_size: int = 5632
    output_router_logits: bool = False
    qkv_bias: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.use_sliding_window:
            self.sliding_window = None
