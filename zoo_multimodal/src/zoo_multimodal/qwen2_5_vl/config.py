"""Configuration of Qwen2.5-VL and its image tower."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_multimodal.qwen2_vl.config import QwenVLConfig


class WindowedVisionConfig(PretrainedConfig):
    """Sizes of an image tower whose layers other than `fullatt_block_indexes` see windows.

    Windows are `window_size` pixels wide; features have width `out_hidden_size`.
    """

    base_config_key = "vision_config"
    heads_divide_width = False

    depth: int = 32
    hidden_size: int = 3584
    hidden_act: str = "silu"
    intermediate_size: int = 3420
    num_heads: int = 16
    in_channels: int = 3
    patch_size: int = 14
    spatial_merge_size: int = 2
    temporal_patch_size: int = 2
    window_size: int = 112
    out_hidden_size: int = 3584
    fullatt_block_indexes: list[int] = field([7, 15, 23, 31])
    initializer_range: float = 0.02

    def check(self) -> Iterator[tuple[str, str]]:
        if self.window_size < self.patch_size * self.spatial_merge_size:
            yield "window_size", "must hold at least one merged patch (patch_size * spatial_merge_size)"


class Qwen2_5_VLVisionConfig(WindowedVisionConfig):
    """Of Qwen2.5-VL; a second of video is `tokens_per_second` positions long."""

    model_type = "qwen2_5_vl"

    tokens_per_second: int = 4


class Qwen2_5_VLConfig(QwenVLConfig):
    """Of Qwen2.5-VL."""

    model_type = "qwen2_5_vl"
    text_type = "qwen2_5_vl_text"

    vision_config: Qwen2_5_VLVisionConfig = sub_config(Qwen2_5_VLVisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config("qwen2_5_vl_text")
