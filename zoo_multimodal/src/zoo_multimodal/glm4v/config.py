"""Configurations of GLM-4.1V and its image tower."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class Glm4vVisionConfig(PretrainedConfig):
    """Sizes of the image tower, whose features have width `out_hidden_size`.

    Positions are a square table for images of `image_size`; `intermediate_size` is the merger's.
    """

    model_type = "glm4v"
    base_config_key = "vision_config"
    heads_divide_width = False

    depth: int = 24
    hidden_size: int = 1536
    hidden_act: str = "silu"
    attention_bias: bool = False
    attention_dropout: float = 0.0
    num_heads: int = 12
    in_channels: int = 3
    image_size: int = 336
    patch_size: int = 14
    rms_norm_eps: float = 1e-05
    spatial_merge_size: int = 2
    temporal_patch_size: int = 2
    out_hidden_size: int = 4096
    intermediate_size: int = 13696
    initializer_range: float = 0.02

    def check(self) -> Iterator[tuple[str, str]]:
        if self.image_size < self.patch_size:
            yield "image_size", "must hold at least one patch of patch_size"


class Glm4vConfig(PretrainedConfig):
    """An image tower and a language model, and the tokens around and in place of what the tower sees.

    A video is, between its two tokens, a sequence of images.
    """

    model_type = "glm4v"
    attribute_map = {"vision_start_token_id": "image_start_token_id"}

    vision_config: Glm4vVisionConfig = sub_config(Glm4vVisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config("glm4v_text")
    image_token_id: int = 151343
    video_token_id: int = 151344
    image_start_token_id: int = 151339
    image_end_token_id: int = 151340
    video_start_token_id: int = 151341
    video_end_token_id: int = 151342
