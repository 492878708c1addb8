"""Configuration of OLMoE."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class OlmoeConfig(LlamaLikeConfig):
    """Sizes and switches of an OLMoE; the defaults are those of OLMoE 1B-7B."""

    model_type = "olmoe"

    vocab_size: int = 50304
    pad_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 50279
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    hidden_size: int = 2048
    intermediate_size: int = 2048
    num_hidden_layers: int = 16
    num_attention_heads: int = 16
    max_position_embeddings: int = 4096
    rms_norm_eps: float = 1e-5
    clip_qkv: float | None = None
    num_experts_per_tok: int = 8
    num_experts: int = 64
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.01
    norm_topk_prob: bool = False
