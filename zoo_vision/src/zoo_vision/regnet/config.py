"""Configuration of RegNet."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field

LAYER_TYPES = ("x", "y")


class RegNetConfig(PretrainedConfig):
    """Sizes and switches of a RegNet; the defaults are those of RegNetY-4GF.

    `layer_type` "y" weighs channels by squeeze and excitation, "x" does not.
    """

    model_type = "regnet"

    num_channels: int = 3
    embedding_size: int = 32
    hidden_sizes: list[int] = field([128, 192, 512, 1088])
    depths: list[int] = field([2, 6, 12, 2])
    groups_width: int = 64
    layer_type: str = "y"
    hidden_act: str = "relu"
    downsample_in_first_stage: bool = True

    def check(self) -> Iterator[tuple[str, str]]:
        if self.layer_type not in LAYER_TYPES:
            yield "layer_type", f"must be one of {', '.join(LAYER_TYPES)}"
