"""Configuration of LFM2-VL."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class Lfm2VlConfig(PretrainedConfig):
    """A SigLIP 2 image tower, `downsample_factor` squared of whose features become one, and an LFM2."""

    model_type = "lfm2-vl"

    vision_config: PretrainedConfig = sub_config("siglip2_vision_model")
    text_config: PretrainedConfig = sub_config("lfm2")
    image_token_id: int = 396
    projector_hidden_act: str = "gelu"
    projector_hidden_size: int = 2560
    projector_bias: bool = True
    downsample_factor: int = 2
