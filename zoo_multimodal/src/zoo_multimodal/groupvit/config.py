"""Configurations of GroupViT and its towers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from zoo_core.config import PretrainedConfig, field, sub_config


class GroupViTTextConfig(PretrainedConfig):
    """Sizes and switches of the text tower, CLIP's."""

    model_type = "groupvit_text_model"
    base_config_key = "text_config"

    vocab_size: int = 49408
    hidden_size: int = 256
    intermediate_size: int = 1024
    num_hidden_layers: int = 12
    num_attention_heads: int = 4
    max_position_embeddings: int = 77
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    dropout: float = 0.0
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 49406
    eos_token_id: int | list[int] | None = 49407


class GroupViTVisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower; the lists have an entry for each stage.

    A stage with `num_group_tokens` above 0 ends in `num_output_groups` groups.
    """

    model_type = "groupvit_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 384
    intermediate_size: int = 1536
    depths: list[int] = field([6, 3, 3])
    num_hidden_layers: int = 12
    num_group_tokens: list[int] = field([64, 8, 0])
    num_output_groups: list[int] = field([64, 8, 8])
    num_attention_heads: int = 6
    image_size: int = 224
    patch_size: int = 16
    num_channels: int = 3
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5
    dropout: float = 0.0
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    assign_eps: float = 1.0
    assign_mlp_ratio: list[float] = field([0.5, 4])

    def check(self) -> Iterator[tuple[str, str]]:
        for name in ("num_group_tokens", "num_output_groups"):
            if len(getattr(self, name)) != len(self.depths):
                yield name, f"must have an entry for each stage, of which depths gives {len(self.depths)}"


class GroupViTConfig(PretrainedConfig):
    """Both towers, and the space that they project to."""

    model_type = "groupvit"

    text_config: GroupViTTextConfig = sub_config(GroupViTTextConfig)
    vision_config: GroupViTVisionConfig = sub_config(GroupViTVisionConfig)
    projection_dim: int = 256
    projection_intermediate_dim: int = 4096
    logit_scale_init_value: float = 2.6592
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    output_segmentation: bool = False

    @classmethod
    def from_text_vision_configs(
        cls, text_config: PretrainedConfig, vision_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two towers' configs."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
