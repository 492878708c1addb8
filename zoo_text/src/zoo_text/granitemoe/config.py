"""Configuration of Granite 3 MoE."""

from __future__ import annotations

from zoo_text.granite.config import GraniteSizes


class GraniteMoeConfig(GraniteSizes):
    """Sizes and switches of Granite 3 MoE."""

    model_type = "granitemoe"

    num_local_experts: int = 8
    num_experts_per_tok: int | None = 2
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    position_embedding_type: str = "rope"
