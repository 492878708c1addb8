"""Configurations of GLM-4.5V and its image tower."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.glm4v.config import Glm4vConfig, Glm4vVisionConfig


class Glm4vMoeVisionConfig(Glm4vVisionConfig):
    """As of GLM-4.1V."""

    model_type = "glm4v_moe"


class Glm4vMoeConfig(Glm4vConfig):
    """As of GLM-4.1V, with a language model of experts."""

    model_type = "glm4v_moe"

    vision_config: Glm4vMoeVisionConfig = sub_config(Glm4vMoeVisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config("glm4v_moe_text")
    image_token_id: int = 151363
    video_token_id: int = 151364
