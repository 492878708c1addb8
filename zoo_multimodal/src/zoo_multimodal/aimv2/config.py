"""Configurations of AIMv2 and its towers."""

from __future__ import annotations

from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config


class Aimv2TextConfig(PretrainedConfig):
    """Sizes and switches of the text tower."""

    model_type = "aimv2_text_model"
    base_config_key = "text_config"

    vocab_size: int = 49408
    hidden_size: int = 768
    intermediate_size: int = 2048
    num_hidden_layers: int = 12
    num_attention_heads: int = 6
    rms_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    qkv_bias: bool = False
    mlp_bias: bool = False
    hidden_act: str = "silu"
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = 49407
    max_position_embeddings: int = 77
    initializer_range: float = 0.02


class Aimv2VisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower; the defaults are those of large at 224.

    `is_native` takes images of any size, with computed positions; `use_head` pools by attention.
    """

    model_type = "aimv2_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 1024
    intermediate_size: int = 2816
    num_hidden_layers: int = 24
    num_attention_heads: int = 8
    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 14
    rms_norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    qkv_bias: bool = False
    mlp_bias: bool = False
    hidden_act: str = "silu"
    initializer_range: float = 0.02
    use_head: bool = True
    is_native: bool = False


class Aimv2Config(PretrainedConfig):
    """Both towers, and the space that they project to."""

    model_type = "aimv2"

    text_config: Aimv2TextConfig = sub_config(Aimv2TextConfig)
    vision_config: Aimv2VisionConfig = sub_config(Aimv2VisionConfig)
    projection_dim: int = 512
    logit_scale_init_value: float = 2.6592
    max_logit_scale: float = 100.0

    @classmethod
    def from_text_vision_configs(
        cls, text_config: PretrainedConfig, vision_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two towers' configs."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
