"""Configuration of EdgeTAM for images."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_vision.sam2.config import Sam2Config, Sam2VisionConfig

FEATURES = {"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]}


class EdgeTamVisionConfig(Sam2VisionConfig):
    """As Segment Anything 2's, on a backbone by timm's name."""

    model_type = "edgetam_vision_model"

    backbone_config: PretrainedConfig = sub_config(
        "timm_wrapper", architecture="repvit_m1", model_args=FEATURES
    )
    backbone_channel_list: list[int] = field([384, 192, 96, 48])


class EdgeTamConfig(Sam2Config):
    """The three parts."""

    model_type = "edgetam"

    vision_config: PretrainedConfig = sub_config("edgetam_vision_model")
