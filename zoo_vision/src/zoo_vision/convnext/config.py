"""Configuration of ConvNeXt."""

from __future__ import annotations

from zoo_core.config import BackboneConfig, field


class ConvNextConfig(BackboneConfig):
    """Sizes and switches of a ConvNeXt; the defaults are those of the tiny model."""

    model_type = "convnext"

    num_channels: int = 3
    patch_size: int = 4
    num_stages: int = 4
    hidden_sizes: list[int] = field([96, 192, 384, 768])
    depths: list[int] = field([3, 3, 9, 3])
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    layer_scale_init_value: float = 1e-6
    drop_path_rate: float = 0.0
    image_size: int | list[int] = 224
