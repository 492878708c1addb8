"""Configuration of DeiT."""

from __future__ import annotations

from zoo_vision.vit.config import ViTConfig


class DeiTConfig(ViTConfig):
    """Sizes and switches of a DeiT: those of ViT."""

    model_type = "deit"
