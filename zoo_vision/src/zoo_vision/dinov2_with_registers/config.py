"""Configuration of DINOv2 with registers."""

from __future__ import annotations

from zoo_vision.dinov2.config import Dinov2Config


class Dinov2WithRegistersConfig(Dinov2Config):
    """Sizes and switches of a DINOv2; `num_register_tokens` stand after the class token."""

    model_type = "dinov2_with_registers"

    patch_size: int | list[int] = 16
    num_register_tokens: int = 4
