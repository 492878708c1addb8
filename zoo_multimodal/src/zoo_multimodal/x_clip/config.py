"""Configurations of X-CLIP and its towers."""

from __future__ import annotations

from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config


class XCLIPTextConfig(PretrainedConfig):
    """Sizes and switches of the text tower, CLIP's."""

    model_type = "xclip_text_model"
    base_config_key = "text_config"

    vocab_size: int = 49408
    hidden_size: int = 512
    intermediate_size: int = 2048
    num_hidden_layers: int = 12
    num_attention_heads: int = 8
    max_position_embeddings: int = 77
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2


class XCLIPVisionConfig(PretrainedConfig):
    """Sizes and switches of the tower of frames, and (`mit_`) of the transformer over their vectors."""

    model_type = "xclip_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mit_hidden_size: int = 512
    mit_intermediate_size: int = 2048
    mit_num_hidden_layers: int = 1
    mit_num_attention_heads: int = 8
    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 32
    num_frames: int = 8
    hidden_act: str = "quick_gelu"
    layer_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    drop_path_rate: float = 0.0


class XCLIPConfig(PretrainedConfig):
    """Both towers, the space that they project to, and the prompts that videos give to texts."""

    model_type = "xclip"

    text_config: XCLIPTextConfig = sub_config(XCLIPTextConfig)
    vision_config: XCLIPVisionConfig = sub_config(XCLIPVisionConfig)
    projection_dim: int = 512
    prompt_layers: int = 2
    prompt_alpha: float = 0.1
    prompt_hidden_act: str = "quick_gelu"
    prompt_num_attention_heads: int = 8
    prompt_attention_dropout: float = 0.0
    prompt_projection_dropout: float = 0.0
    logit_scale_init_value: float = 2.6592
    initializer_factor: float = 1.0

    @classmethod
    def from_text_vision_configs(
        cls, text_config: PretrainedConfig, vision_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two towers' configs."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
