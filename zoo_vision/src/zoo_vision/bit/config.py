"""Configuration of BiT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, field

LAYER_TYPES = ("preactivation", "bottleneck")
PADDINGS = ("SAME", "VALID")


class BitConfig(BackboneConfig):
    """Sizes and switches of a BiT; the defaults are those of the ResNet-50.

    `global_padding` is that of TensorFlow where given; `output_stride` is the largest by which maps shrink,
    later stages dilate their convolutions instead.
    """

    model_type = "bit"

    num_channels: int = 3
    embedding_size: int = 64
    hidden_sizes: list[int] = field([256, 512, 1024, 2048])
    depths: list[int] = field([3, 4, 6, 3])
    layer_type: str = "preactivation"
    hidden_act: str = "relu"
    global_padding: str | None = None
    num_groups: int = 32
    drop_path_rate: float = 0.0
    embedding_dynamic_padding: bool = False
    output_stride: int = 32
    width_factor: int = 1

    def __post_init__(self) -> None:
        if self.global_padding is not None:
            self.global_padding = self.global_padding.upper()
        super().__post_init__()

    def check(self) -> Iterator[tuple[str, str]]:
        if self.layer_type not in LAYER_TYPES:
            yield "layer_type", f"must be one of {', '.join(LAYER_TYPES)}"
        if self.global_padding not in (None, *PADDINGS):
            yield "global_padding", f"must be one of {', '.join(PADDINGS)}, or absent"
