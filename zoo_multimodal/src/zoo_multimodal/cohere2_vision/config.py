"""Configuration of Command A Vision."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class Cohere2VisionConfig(PretrainedConfig):
    """A SigLIP image tower, `downsample_factor` squared of whose features become one, and a Cohere 2."""

    model_type = "cohere2_vision"

    vision_config: PretrainedConfig = sub_config(
        "siglip_vision_model", hidden_size=1152, intermediate_size=3072, image_size=512, num_hidden_layers=27
    )
    text_config: PretrainedConfig = sub_config("cohere2")
    downsample_factor: int = 2
    image_token_id: int = 255036
    alignment_intermediate_size: int = 36864
