"""Configurations of Florence-2 and its image tower."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config


class Florence2VisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower, a DaViT; lists have an entry for each stage.

    `max_position_embeddings` rows and columns, and `max_temporal_embeddings` frames, have embeddings.
    """

    model_type = "florence_vision"
    base_config_key = "vision_config"

    in_channels: int = 3
    depths: list[int] = field([1, 1, 9, 1])
    patch_size: list[int] = field([7, 3, 3, 3])
    patch_stride: list[int] = field([4, 2, 2, 2])
    patch_padding: list[int] = field([3, 1, 1, 1])
    patch_prenorm: list[bool] = field([False, True, True, True])
    embed_dim: list[int] = field([128, 256, 512, 1024])
    num_heads: list[int] = field([4, 8, 16, 32])
    num_groups: list[int] = field([4, 8, 16, 32])
    window_size: int = 12
    drop_path_rate: float = 0.1
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    activation_function: str = "gelu"
    projection_dim: int = 1024
    max_temporal_embeddings: int = 100
    max_position_embeddings: int = 50
    initializer_range: float = 0.02

    def check(self) -> Iterator[tuple[str, str]]:
        for name in ("patch_size", "patch_stride", "patch_padding", "patch_prenorm", "embed_dim"):
            if len(getattr(self, name)) != len(self.depths):
                yield name, f"must have an entry for each of the {len(self.depths)} stages of depths"


class Florence2Config(PretrainedConfig):
    """The image tower, a BART, and the token that stands for a feature of the image."""

    model_type = "florence2"

    text_config: PretrainedConfig = sub_config("bart")
    vision_config: Florence2VisionConfig = sub_config(Florence2VisionConfig)
    image_token_id: int = 51289
    is_encoder_decoder: bool = True
