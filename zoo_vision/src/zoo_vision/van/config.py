"""Configuration of VAN."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class VanConfig(PretrainedConfig):
    """Sizes and switches of a VAN; the defaults are those of the base model.

    `patch_sizes` and `strides` are those of the convolutions that begin the stages.
    """

    model_type = "van"

    image_size: int = 224
    num_channels: int = 3
    patch_sizes: list[int] = field([7, 3, 3, 3])
    strides: list[int] = field([4, 2, 2, 2])
    hidden_sizes: list[int] = field([64, 128, 320, 512])
    depths: list[int] = field([3, 3, 12, 3])
    mlp_ratios: list[int] = field([8, 8, 4, 4])
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    layer_scale_init_value: float = 1e-2
    drop_path_rate: float = 0.0
    dropout_rate: float = 0.0
