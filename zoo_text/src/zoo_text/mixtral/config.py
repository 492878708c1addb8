"""Configuration of Mixtral."""

from __future__ import annotations

from zoo_text.llama.config import LlamaLikeConfig


class MixtralConfig(LlamaLikeConfig):
    """Sizes and switches of a Mixtral; the defaults are those of Mixtral 8x7B."""

    model_type = "mixtral"

    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    head_dim: int | None = None
    max_position_embeddings: int = 131072
    rms_norm_eps: float = 1e-5
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    rope_theta: float = 1e6
    sliding_window: int | None = None
    num_experts_per_tok: int = 2
    num_local_experts: int = 8
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    router_jitter_noise: float = 0.0
