"""Configuration of DeepSeek-V2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class DeepseekV2Config(LlamaLikeConfig):
    """Sizes and switches of a DeepSeek-V2."""

    model_type = "deepseek_v2"

    rms_norm_eps: float = 1e-6
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    aux_loss_alpha: float = 0.001
    first_k_dense_replace: int = 0
    kv_lora_rank: int = 512
    q_lora_rank: int | None = 1536
    n_group: int | None = None
    n_routed_experts: int = 64
    n_shared_experts: int | None = 2
    qk_nope_head_dim: int = 128
    qk_rope_head_dim: int = 64
    routed_scaling_factor: float = 1.0
    seq_aux: bool = True
    topk_group: int | None = None
    topk_method: str = "greedy"
    v_head_dim: int = 128
    num_experts_per_tok: int | None = None
    norm_topk_prob: bool = False
    moe_intermediate_size: int = 1407

    def __post_init__(self) -> None:
        super().__post_init__()
        self.head_dim = self.qk_rope_head_dim

    def check(self) -> Iterator[tuple[str, str]]:
        known = ("greedy", "group_limited_greedy")
        if self.topk_method not in known:
            yield "topk_method", f"must be one of {', '.join(known)}"
        elif self.topk_method != "greedy" and not (self.n_group and self.topk_group):
            yield "topk_method", "needs n_group and topk_group"
