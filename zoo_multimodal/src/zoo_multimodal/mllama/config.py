"""Configurations of Mllama and its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_text.llama.config import LlamaLikeConfig


def shapes_of_tiles(most: int) -> list[list[int]]:
    """All [width, height] in tiles of at most `most` tiles."""
    return [[wide, high] for wide in range(1, most + 1) for high in range(1, most + 1) if wide * high <= most]


class MllamaTextConfig(LlamaLikeConfig):
    """Sizes and switches of the decoder; `cross_attention_layers` are those that look at images."""

    model_type = "mllama_text_model"
    base_config_key = "text_config"

    vocab_size: int = 128256
    num_hidden_layers: int = 40
    num_key_value_heads: int | None = 8
    intermediate_size: int = 14336
    rope_theta: float = 500000
    rope_scaling: dict[str, Any] | None = None
    rms_norm_eps: float = 1e-5
    max_position_embeddings: int = 131072
    cross_attention_layers: list[int] = field([3, 8, 13, 18, 23, 28, 33, 38])
    dropout: float = 0.0
    bos_token_id: int | None = 128000
    eos_token_id: int | list[int] | None = 128001
    pad_token_id: int | None = 128004


class MllamaVisionConfig(PretrainedConfig):
    """Sizes and switches of the image encoder.

    An image is up to `max_num_tiles` tiles, laid out in one of `supported_aspect_ratios`;
    the states of `intermediate_layers_indices` are returned beside the last ones.
    """

    model_type = "mllama_vision_model"
    base_config_key = "vision_config"
    attribute_map = {"num_attention_heads": "attention_heads"}

    hidden_size: int = 1280
    hidden_act: str = "gelu"
    num_hidden_layers: int = 32
    num_global_layers: int = 8
    attention_heads: int = 16
    num_channels: int = 3
    intermediate_size: int = 5120
    vision_output_dim: int = 7680
    image_size: int = 448
    patch_size: int = 14
    norm_eps: float = 1e-5
    max_num_tiles: int = 4
    intermediate_layers_indices: list[int] = field([3, 7, 15, 23, 30])
    supported_aspect_ratios: list[list[int]] = field(shapes_of_tiles(4))
    initializer_range: float = 0.02

    @property
    def max_aspect_ratio_id(self) -> int:
        """The highest number of an aspect ratio; they count from 1."""
        return len(self.supported_aspect_ratios)

    def check(self) -> Iterator[tuple[str, str]]:
        if self.vision_output_dim != self.hidden_size * (1 + len(self.intermediate_layers_indices)):
            yield "vision_output_dim", "must be hidden_size * (1 + the number of intermediate_layers_indices)"


class MllamaConfig(PretrainedConfig):
    """Both parts, and the token that marks an image."""

    model_type = "mllama"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: MllamaVisionConfig = sub_config(MllamaVisionConfig)
    text_config: MllamaTextConfig = sub_config(MllamaTextConfig)
    image_token_index: int = 128256
