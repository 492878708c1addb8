"""Configuration of ConvNeXt V2."""

from __future__ import annotations

from zoo_vision.convnext.config import ConvNextConfig


class ConvNextV2Config(ConvNextConfig):
    """Sizes and switches of a ConvNeXt V2; see ConvNextConfig."""

    model_type = "convnextv2"

    layer_scale_init_value: float = 0.0
