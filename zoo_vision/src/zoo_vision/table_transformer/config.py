"""Configuration of the Table Transformer."""

from __future__ import annotations

from zoo_vision.detr.config import DetrConfig


class TableTransformerConfig(DetrConfig):
    """Sizes and switches of a DETR that finds tables and their parts."""

    model_type = "table-transformer"
