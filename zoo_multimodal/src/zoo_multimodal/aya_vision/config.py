"""Configuration of Aya Vision."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class AyaVisionConfig(PretrainedConfig):
    """A SigLIP image tower, `downsample_factor` squared of whose features become one, and a Cohere 2."""

    model_type = "aya_vision"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: PretrainedConfig = sub_config(
        "siglip_vision_model",
        hidden_size=1152,
        intermediate_size=4304,
        patch_size=14,
        image_size=384,
        num_hidden_layers=26,
        num_attention_heads=16,  # the reference's default, 14, divides no width of 1152
        vision_use_head=False,
    )
    text_config: PretrainedConfig = sub_config("cohere2")
    vision_feature_select_strategy: str = "full"
    vision_feature_layer: int | list[int] = -1
    downsample_factor: int = 2
    adapter_layer_norm_eps: float = 1e-6
    image_token_index: int = 255036
