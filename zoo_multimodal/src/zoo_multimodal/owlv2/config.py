"""Configurations of OWLv2 and its towers."""

from __future__ import annotations

from zoo_core.config import sub_config
from zoo_multimodal.owlvit.config import OwlViTConfig, OwlViTTextConfig, OwlViTVisionConfig


class Owlv2TextConfig(OwlViTTextConfig):
    """Sizes and switches of the text tower."""

    model_type = "owlv2_text_model"


class Owlv2VisionConfig(OwlViTVisionConfig):
    """Sizes and switches of the image tower."""

    model_type = "owlv2_vision_model"

    patch_size: int = 16


class Owlv2Config(OwlViTConfig):
    """Both towers, and the space that they project to."""

    model_type = "owlv2"

    text_config: Owlv2TextConfig = sub_config(Owlv2TextConfig)
    vision_config: Owlv2VisionConfig = sub_config(Owlv2VisionConfig)
