"""Configuration of PoolFormer."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field


class PoolFormerConfig(PretrainedConfig):
    """Sizes and switches of a PoolFormer; the defaults are those of S12.

    `patch_sizes`, `strides` and `padding` are those of the convolutions that begin the stages.
    """

    model_type = "poolformer"

    num_channels: int = 3
    patch_size: int = 16
    stride: int = 16
    pool_size: int = 3
    mlp_ratio: float = 4.0
    depths: list[int] = field([2, 2, 6, 2])
    hidden_sizes: list[int] = field([64, 128, 320, 512])
    patch_sizes: list[int] = field([7, 3, 3, 3])
    strides: list[int] = field([4, 2, 2, 2])
    padding: list[int] = field([2, 1, 1, 1])
    num_encoder_blocks: int = 4
    drop_path_rate: float = 0.0
    hidden_act: str = "gelu"
    use_layer_scale: bool = True
    layer_scale_init_value: float = 1e-5
    initializer_range: float = 0.02
