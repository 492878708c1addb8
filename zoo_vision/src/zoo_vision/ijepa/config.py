"""Configuration of I-JEPA."""

from __future__ import annotations

from zoo_vision.vit.config import ViTConfig


class IJepaConfig(ViTConfig):
    """Sizes and switches of a ViT without class token; see ViTConfig."""

    model_type = "ijepa"
