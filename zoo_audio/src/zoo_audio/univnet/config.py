"""Configuration of UnivNet."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class UnivNetConfig(PretrainedConfig):
    """Sizes and switches of a UnivNet; the defaults are those of UnivNet-c32."""

    model_type = "univnet"

    model_in_channels: int = 64
    model_hidden_channels: int = 32
    num_mel_bins: int = 100
    resblock_kernel_sizes: list[int] = field([3, 3, 3])
    resblock_stride_sizes: list[int] = field([8, 8, 4])
    resblock_dilation_sizes: list[list[int]] = field([[1, 3, 9, 27], [1, 3, 9, 27], [1, 3, 9, 27]])
    kernel_predictor_num_blocks: int = 3
    kernel_predictor_hidden_channels: int = 64
    kernel_predictor_conv_size: int = 3
    kernel_predictor_dropout: float = 0.0
    initializer_range: float = 0.01
    leaky_relu_slope: float = 0.2

    def check(self) -> Iterator[tuple[str, str]]:
        sizes = (self.resblock_kernel_sizes, self.resblock_stride_sizes, self.resblock_dilation_sizes)
        if len({len(one) for one in sizes}) != 1:
            yield (
                "resblock_kernel_sizes",
                "must be as long as resblock_stride_sizes and resblock_dilation_sizes",
            )
