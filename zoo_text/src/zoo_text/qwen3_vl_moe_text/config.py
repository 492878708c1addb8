"""Configuration of Qwen3-VL-MoE's language model."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class Qwen3VLMoeTextConfig(LlamaLikeConfig):
    """Sizes and switches of the language model of Qwen3-VL-MoE.

    Every `decoder_sparse_step`-th layer has experts, except those in `mlp_only_layers`.
    """

    model_type = "qwen3_vl_moe_text"
    base_config_key = "text_config"

    vocab_size: int = 151936
    max_position_embeddings: int = 128000
    rms_norm_eps: float = 1e-6
    rope_theta: float = 5e6
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    hidden_size: int = 2048
    intermediate_size: int = 5632
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 16
    head_dim: int | None = None
    decoder_sparse_step: int = 1
    moe_intermediate_size: int = 1408
    num_experts_per_tok: int = 4
    num_experts: int = 60
    norm_topk_prob: bool = True
    router_aux_loss_coef: float = 0.001
    mlp_only_layers: list[int] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.mlp_only_layers = self.mlp_only_layers or []
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads
