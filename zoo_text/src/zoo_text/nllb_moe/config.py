"""Configuration of NLLB-MoE."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.m2m_100.config import M2M100Config


class NllbMoeConfig(M2M100Config):
    """Sizes and switches of an NLLB-MoE; the defaults are those of nllb-moe-54b but for its size.

    Every `*_sparse_step`-th layer has experts. An expert takes `moe_eval_capacity_token_fraction` of all
    tokens in evaluation, `expert_capacity` in training.
    """

    model_type = "nllb-moe"

    router_bias: bool = False
    router_dtype: str = "float32"
    router_ignore_padding_tokens: bool = False
    num_experts: int = 128
    expert_capacity: int | None = 64
    encoder_sparse_step: int = 4
    decoder_sparse_step: int = 4
    router_z_loss_coef: float = 0.001
    router_aux_loss_coef: float = 0.001
    second_expert_policy: str = "all"
    normalize_router_prob_before_dropping: bool = False
    batch_prioritized_routing: bool = False
    moe_eval_capacity_token_fraction: float = 1.0
    moe_token_dropout: float = 0.2
    output_router_logits: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if self.second_expert_policy not in ("all", "sampling", "random"):
            yield "second_expert_policy", "must be 'all', 'sampling' or 'random'"
