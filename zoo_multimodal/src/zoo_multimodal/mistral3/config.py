"""Configuration of Mistral 3."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class Mistral3Config(PretrainedConfig):
    """Pixtral's image tower, `spatial_merge_size` squared of whose features become one, and a Mistral."""

    model_type = "mistral3"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: PretrainedConfig = sub_config(
        "pixtral",
        intermediate_size=4096,
        hidden_size=1024,
        patch_size=14,
        image_size=1540,
        num_hidden_layers=24,
        num_attention_heads=16,
        vocab_size=32000,
        head_dim=64,
        hidden_act="gelu",
    )
    text_config: PretrainedConfig = sub_config(
        "mistral",
        attention_dropout=0.0,
        head_dim=128,
        hidden_act="silu",
        hidden_size=5120,
        initializer_range=0.02,
        intermediate_size=32768,
        max_position_embeddings=131072,
        num_attention_heads=32,
        num_hidden_layers=40,
        num_key_value_heads=8,
        rms_norm_eps=1e-5,
        rope_theta=1e9,
        sliding_window=None,
        vocab_size=131072,
    )
    image_token_index: int = 10
    projector_hidden_act: str = "gelu"
    vision_feature_layer: int | list[int] = -1
    multimodal_projector_bias: bool = False
    spatial_merge_size: int = 2
