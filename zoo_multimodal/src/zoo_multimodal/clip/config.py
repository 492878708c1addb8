"""Configurations of CLIP and its towers."""

from __future__ import annotations

from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config


class CLIPTextConfig(PretrainedConfig):
    """Sizes and switches of the text tower; the defaults are those of ViT-B/32."""

    model_type = "clip_text_model"
    base_config_key = "text_config"

    vocab_size: int = 49408
    hidden_size: int = 512
    intermediate_size: int = 2048
    projection_dim: int = 512
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    max_position_embeddings: int = 77
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 49406
    eos_token_id: int | list[int] | None = 49407


class CLIPVisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower; the defaults are those of ViT-B/32."""

    model_type = "clip_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 768
    intermediate_size: int = 3072
    projection_dim: int = 512
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 32
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0


class CLIPConfig(PretrainedConfig):
    """Both towers, and the space that they project to."""

    model_type = "clip"

    text_config: CLIPTextConfig = sub_config(CLIPTextConfig)
    vision_config: CLIPVisionConfig = sub_config(CLIPVisionConfig)
    projection_dim: int = 512
    logit_scale_init_value: float = 2.6592
    initializer_factor: float = 1.0

    @classmethod
    def from_text_vision_configs(
        cls, text_config: PretrainedConfig, vision_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two towers' configs."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
