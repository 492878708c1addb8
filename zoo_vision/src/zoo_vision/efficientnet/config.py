"""Configuration of EfficientNet."""

from __future__ import annotations

import math

from zoo_core.config import PretrainedConfig, field


class EfficientNetConfig(PretrainedConfig):
    """Sizes and switches of an EfficientNet; the defaults are those of B7.

    Each list has an entry for each of the seven stages; `depthwise_padding` lists the numbers of the blocks
    whose strided convolution pads all sides alike.
    """

    model_type = "efficientnet"

    num_channels: int = 3
    image_size: int | list[int] = 600
    width_coefficient: float = 2.0
    depth_coefficient: float = 3.1
    depth_divisor: int = 8
    kernel_sizes: list[int] = field([3, 3, 5, 3, 5, 5, 3])
    in_channels: list[int] = field([32, 16, 24, 40, 80, 112, 192])
    out_channels: list[int] = field([16, 24, 40, 80, 112, 192, 320])
    depthwise_padding: list[int] = field([])
    strides: list[int] = field([1, 2, 2, 2, 1, 2, 1])
    num_block_repeats: list[int] = field([1, 2, 2, 3, 3, 4, 1])
    expand_ratios: list[int] = field([1, 6, 6, 6, 6, 6, 6])
    squeeze_expansion_ratio: float = 0.25
    hidden_act: str = "swish"
    hidden_dim: int = 2560
    pooling_type: str = "mean"
    initializer_range: float = 0.02
    batch_norm_eps: float = 0.001
    batch_norm_momentum: float = 0.99
    dropout_rate: float = 0.5
    drop_connect_rate: float = 0.2

    def __post_init__(self) -> None:
        self.num_hidden_layers = sum(self.num_block_repeats) * 4

    def blocks(self, stage: int) -> int:
        """Blocks of a stage."""
        return math.ceil(self.depth_coefficient * self.num_block_repeats[stage])
