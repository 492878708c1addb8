"""Configuration of ViP-LLaVA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class VipLlavaConfig(PretrainedConfig):
    """A vision tower, a language model, and the layers whose features are projected together."""

    model_type = "vipllava"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: PretrainedConfig = sub_config(
        "clip_vision_model",
        intermediate_size=4096,
        hidden_size=1024,
        patch_size=14,
        image_size=336,
        num_hidden_layers=24,
        num_attention_heads=16,
        vocab_size=32000,
        projection_dim=768,
    )
    text_config: PretrainedConfig = sub_config("llama")
    image_token_index: int = 32000
    projector_hidden_act: str = "gelu"
    projector_layernorm_eps: float = 1e-5
    vision_feature_layers: int | list[int] = field([-2, -5, -8, -11, 6])
    image_seq_length: int = 576

    def __init__(
        self,
        vision_config: PretrainedConfig | Mapping[str, Any] | None = None,
        text_config: PretrainedConfig | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(vision_config=vision_config, text_config=text_config, **kwargs)
