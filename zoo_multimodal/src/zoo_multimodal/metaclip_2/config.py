"""Configurations of MetaCLIP 2 and its towers."""

from __future__ import annotations

from zoo_core.config import sub_config
from zoo_multimodal.clip.config import CLIPConfig, CLIPTextConfig, CLIPVisionConfig


class MetaClip2TextConfig(CLIPTextConfig):
    """Sizes and switches of the text tower."""

    model_type = "metaclip_2_text_model"


class MetaClip2VisionConfig(CLIPVisionConfig):
    """Sizes and switches of the image tower."""

    model_type = "metaclip_2_vision_model"


class MetaClip2Config(CLIPConfig):
    """Both towers, and the space that they project to."""

    model_type = "metaclip_2"

    text_config: MetaClip2TextConfig = sub_config(MetaClip2TextConfig)
    vision_config: MetaClip2VisionConfig = sub_config(MetaClip2VisionConfig)
