"""Configuration of TextNet."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, field

_KERNELS = [
    [[3, 3], [3, 3], [3, 3]],
    [[3, 3], [1, 3], [3, 3], [3, 1]],
    [[3, 3], [3, 3], [3, 1], [1, 3]],
    [[3, 3], [3, 1], [1, 3], [3, 3]],
]
_STRIDES = [[1, 2, 1], [2, 1, 1, 1], [2, 1, 1, 1], [2, 1, 1, 1]]


class TextNetConfig(BackboneConfig):
    """Sizes and switches of a TextNet; the defaults are those of the tiny model.

    `conv_layer_kernel_sizes` and `conv_layer_strides` hold, for each stage, those of its layers;
    `hidden_sizes` are the widths of the stem and the stages.
    """

    model_type = "textnet"

    stem_kernel_size: int = 3
    stem_stride: int = 2
    stem_num_channels: int = 3
    stem_out_channels: int = 64
    stem_act_func: str = "relu"
    image_size: int | list[int] = field([640, 640])
    conv_layer_kernel_sizes: list[list[list[int]]] = field(_KERNELS)
    conv_layer_strides: list[list[int]] = field(_STRIDES)
    hidden_sizes: list[int] = field([64, 64, 128, 256, 512])
    batch_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    depths: list[int] | None = None

    def __post_init__(self) -> None:
        self.depths = [len(stage) for stage in self.conv_layer_kernel_sizes]
        super().__post_init__()

    def check(self) -> Iterator[tuple[str, str]]:
        if [len(stage) for stage in self.conv_layer_strides] != self.depths:
            yield "conv_layer_strides", "must have one entry for each kernel of conv_layer_kernel_sizes"
        if len(self.hidden_sizes) != len(self.conv_layer_kernel_sizes) + 1:
            yield "hidden_sizes", "must name the stem's width and one for each stage"
