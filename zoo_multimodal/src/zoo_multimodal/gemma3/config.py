"""Configuration of Gemma 3."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class Gemma3Config(PretrainedConfig):
    """A SigLIP image tower, whose features are averaged to `mm_tokens_per_image`, and a language model."""

    model_type = "gemma3"
    attribute_map = {
        "image_token_id": "image_token_index",
        "boi_token_id": "boi_token_index",
        "eoi_token_id": "eoi_token_index",
    }

    text_config: PretrainedConfig = sub_config("gemma3_text")
    vision_config: PretrainedConfig = sub_config("siglip_vision_model")
    mm_tokens_per_image: int = 256
    boi_token_index: int = 255999
    eoi_token_index: int = 256000
    image_token_index: int = 262144
    initializer_range: float = 0.02
