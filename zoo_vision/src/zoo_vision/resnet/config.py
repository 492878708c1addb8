"""Configuration of ResNet."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, field

LAYER_TYPES = ("basic", "bottleneck")


class ResNetConfig(BackboneConfig):
    """Sizes and switches of a ResNet; the defaults are those of ResNet-50."""

    model_type = "resnet"

    num_channels: int = 3
    embedding_size: int = 64
    hidden_sizes: list[int] = field([256, 512, 1024, 2048])
    depths: list[int] = field([3, 4, 6, 3])
    layer_type: str = "bottleneck"
    hidden_act: str = "relu"
    downsample_in_first_stage: bool = False
    downsample_in_bottleneck: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if self.layer_type not in LAYER_TYPES:
            yield "layer_type", f"must be one of {', '.join(LAYER_TYPES)}"
