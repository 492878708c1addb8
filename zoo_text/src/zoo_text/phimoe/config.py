"""Configuration of Phi-3.5-MoE."""

from __future__ import annotations

from typing import Any

from zoo_text.mixtral.config import MixtralConfig


class PhimoeConfig(MixtralConfig):
    """Sizes and switches of a Phi-3.5-MoE."""

    model_type = "phimoe"

    intermediate_size: int = 6400
    rope_scaling: dict[str, Any] | None = None
    num_local_experts: int = 16
    router_jitter_noise: float = 0.01
    input_jitter_noise: float = 0.0
    attention_bias: bool = False
    lm_head_bias: bool = False
