"""Configuration of FlauBERT."""

from __future__ import annotations

from zoo_text.xlm.config import XLMConfig


class FlaubertConfig(XLMConfig):
    """Sizes and switches of a FlauBERT; pre_norm: norms before the blocks (the large model)."""

    model_type = "flaubert"

    pre_norm: bool = False
    layerdrop: float = 0.0
