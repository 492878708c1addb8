"""Configuration of Conditional DETR."""

from __future__ import annotations

from zoo_vision.detr.config import DetrConfig


class ConditionalDetrConfig(DetrConfig):
    """Sizes and switches of a Conditional DETR; see DetrConfig."""

    model_type = "conditional_detr"

    num_queries: int = 300
    class_cost: float = 2
    cls_loss_coefficient: float = 2
    focal_alpha: float = 0.25
