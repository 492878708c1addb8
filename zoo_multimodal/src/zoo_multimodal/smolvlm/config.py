"""Configurations of SmolVLM and its image tower."""

from __future__ import annotations

from zoo_core.config import sub_config
from zoo_multimodal.idefics3.config import Idefics3Config, Idefics3VisionConfig


class SmolVLMVisionConfig(Idefics3VisionConfig):
    """Sizes and switches of the image tower."""

    model_type = "smolvlm_vision"


class SmolVLMConfig(Idefics3Config):
    """As of Idefics3."""

    model_type = "smolvlm"

    vision_config: SmolVLMVisionConfig = sub_config(SmolVLMVisionConfig, fixed=True)
