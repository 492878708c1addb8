"""Configuration of PaliGemma."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class PaliGemmaConfig(PretrainedConfig):
    """A SigLIP image tower and a Gemma, with a linear map of width `projection_dim` between them."""

    model_type = "paligemma"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: PretrainedConfig = sub_config(
        "siglip_vision_model",
        intermediate_size=4096,
        hidden_size=1152,
        patch_size=14,
        image_size=224,
        num_hidden_layers=27,
        num_attention_heads=16,
        vocab_size=257152,
        vision_use_head=False,
    )
    text_config: PretrainedConfig = sub_config(
        "gemma",
        hidden_size=2048,
        num_hidden_layers=18,
        intermediate_size=16384,
        num_attention_heads=8,
        num_key_value_heads=1,
        vocab_size=257152,
    )
    image_token_index: int = 256000
    projection_dim: int = 2048
    hidden_size: int = 2048

    def __post_init__(self) -> None:
        vision = self.vision_config
        self.text_config.num_image_tokens = (vision.image_size // vision.patch_size) ** 2
        vision.projection_dim = self.projection_dim
