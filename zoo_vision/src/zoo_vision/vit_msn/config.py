"""Configuration of a ViT trained as a Masked Siamese Network."""

from __future__ import annotations

from zoo_vision.vit.config import ViTConfig


class ViTMSNConfig(ViTConfig):
    """Sizes and switches of a ViT; see ViTConfig."""

    model_type = "vit_msn"

    layer_norm_eps: float = 1e-6
