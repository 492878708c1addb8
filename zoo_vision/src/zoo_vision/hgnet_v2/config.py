"""Configuration of HGNet V2."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, field


class HGNetV2Config(BackboneConfig):
    """Sizes and switches of an HGNet V2; lists that begin with `stage_` have an entry for each stage.

    `stage_light_block`: layers of a 1x1 convolution and one in each channel. `use_learnable_affine_block`:
    a factor and an offset after each activation.
    """

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
        stages = len(self.stage_in_channels)
        for name, value in vars(self).items():
            if name.startswith("stage_") and name != "stage_names" and len(value) != stages:
                yield name, f"must have {stages} entries, as many as stage_in_channels"
