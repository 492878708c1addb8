"""Configurations of SigLIP 2 and its towers."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.siglip.config import SiglipConfig, SiglipTextConfig


class Siglip2TextConfig(SiglipTextConfig):
    """Sizes and switches of the text tower."""

    model_type = "siglip2_text_model"


class Siglip2VisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower; positions were trained on a square of `num_patches`."""

    model_type = "siglip2_vision_model"
    base_config_key = "vision_config"

    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    num_patches: int = 256
    patch_size: int = 16
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0

    def check(self) -> Iterator[tuple[str, str]]:
        if self.num_patches < 1 or int(self.num_patches**0.5) ** 2 != self.num_patches:
            yield "num_patches", "must be a square number"


class Siglip2Config(SiglipConfig):
    """Both towers."""

    model_type = "siglip2"

    text_config: Siglip2TextConfig = sub_config(Siglip2TextConfig)
    vision_config: Siglip2VisionConfig = sub_config(Siglip2VisionConfig)  # type: ignore[assignment]
