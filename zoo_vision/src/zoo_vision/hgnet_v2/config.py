"""Configuration of HGNetV2."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, field

_STAGES = (
    "in_channels",
    "mid_channels",
    "out_channels",
    "num_blocks",
    "downsample",
    "light_block",
    "kernel_size",
    "numb_of_layers",
)


class HGNetV2Config(BackboneConfig):
    """Sizes and switches of an HGNetV2; lists that begin with `stage_` have an entry for each stage."""

    model_type = "hgnet_v2"

    num_channels: int = 3
    embedding_size: int = 64
    depths: list[int] = field([3, 4, 6, 3])
    hidden_sizes: list[int] = field([256, 512, 1024, 2048])
    hidden_act: str = "relu"
    stem_channels: list[int] = field([3, 32, 48])
    stage_in_channels: list[int] = field([48, 128, 512, 1024])
    stage_mid_channels: list[int] = field([48, 96, 192, 384])
    stage_out_channels: list[int] = field([128, 512, 1024, 2048])
    stage_num_blocks: list[int] = field([1, 1, 3, 1])
    stage_downsample: list[bool] = field([False, True, True, True])
    stage_light_block: list[bool] = field([False, False, True, True])
    stage_kernel_size: list[int] = field([3, 3, 5, 5])
    stage_numb_of_layers: list[int] = field([6, 6, 6, 6])
    use_learnable_affine_block: bool = False
    initializer_range: float = 0.02

    def check(self) -> Iterator[tuple[str, str]]:
        for name in _STAGES:
            if len(getattr(self, f"stage_{name}")) != len(self.depths):
                yield f"stage_{name}", f"must have an entry for each of the {len(self.depths)} stages"
