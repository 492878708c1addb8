"""Configuration of Granite MoE with shared experts."""

from __future__ import annotations

from zoo_text.granitemoe.config import GraniteMoeConfig


class GraniteMoeSharedConfig(GraniteMoeConfig):
    """Sizes and switches of Granite MoE with shared experts."""

    model_type = "granitemoeshared"

    shared_intermediate_size: int = 0
