"""Configurations of SigLIP and its towers."""

from __future__ import annotations

from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config


class SiglipTextConfig(PretrainedConfig):
    """Sizes and switches of the text tower; `projection_size` is by default the width."""

    model_type = "siglip_text_model"
    base_config_key = "text_config"

    vocab_size: int = 32000
    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    max_position_embeddings: int = 64
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 49406
    eos_token_id: int | list[int] | None = 49407
    projection_size: int | None = None

    def __post_init__(self) -> None:
        if self.projection_size is None:
            self.projection_size = self.hidden_size


class SiglipVisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower; the defaults are those of B/16 at 224."""

    model_type = "siglip_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 16
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0


class SiglipConfig(PretrainedConfig):
    """Both towers."""

    model_type = "siglip"

    text_config: SiglipTextConfig = sub_config(SiglipTextConfig)
    vision_config: SiglipVisionConfig = sub_config(SiglipVisionConfig)
    initializer_factor: float = 1.0

    @classmethod
    def from_text_vision_configs(
        cls, text_config: PretrainedConfig, vision_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two towers' configs."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
