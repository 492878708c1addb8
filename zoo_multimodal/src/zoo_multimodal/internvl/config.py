"""Configuration of InternVL."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class InternVLConfig(PretrainedConfig):
    """An InternViT, whose feature maps are `downsample_ratio` times as high and wide, and a Qwen2."""

    model_type = "internvl"

    vision_config: PretrainedConfig = sub_config("internvl_vision", fixed=True)
    text_config: PretrainedConfig = sub_config("qwen2")
    image_token_id: int = 151667
    image_seq_length: int = 256
    downsample_ratio: float = 0.5
    projector_hidden_act: str = "gelu"
    vision_feature_layer: int = -1
    vision_feature_select_strategy: str = "default"

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.downsample_ratio or round(1 / self.downsample_ratio) * self.downsample_ratio != 1:
            yield "downsample_ratio", "must be one divided by a whole number, such as 0.5"
        if self.vision_feature_select_strategy not in ("default", "full"):
            yield "vision_feature_select_strategy", "must be 'default' (no class token) or 'full'"
