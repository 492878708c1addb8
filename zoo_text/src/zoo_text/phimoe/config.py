"""Configuration of Phi-3.5-MoE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class PhimoeConfig(LlamaLikeConfig):
    """Sizes and switches of a Phi-3.5-MoE."""

    model_type = "phimoe"

    vocab_size: int = 32064
    intermediate_size: int = 6400
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 131072
    rms_norm_eps: float = 1e-5
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    rope_theta: float = 1e6
    rope_scaling: dict[str, Any] | None = None
    sliding_window: int | None = None
    num_experts_per_tok: int = 2
    num_local_experts: int = 16
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    router_jitter_noise: float = 0.01
    input_jitter_noise: float = 0.0
    attention_bias: bool = False
    lm_head_bias: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if self.num_experts_per_tok != 2:
            yield "num_experts_per_tok", "must be 2: the router chooses a first and a second expert"
        needed = ("short_mscale", "long_mscale", "original_max_position_embeddings")
        missing = [name for name in needed if name not in (self.rope_scaling or needed)]
        if missing:
            yield "rope_scaling", f"lacks {', '.join(missing)}"
