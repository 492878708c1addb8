"""Configurations of ALIGN and its towers."""

from __future__ import annotations

from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config
from zoo_text.bert.config import BertConfig
from zoo_vision.efficientnet.config import EfficientNetConfig


class AlignTextConfig(BertConfig):
    """Sizes and switches of the text tower, a BERT."""

    model_type = "align_text_model"
    base_config_key = "text_config"


class AlignVisionConfig(EfficientNetConfig):
    """Sizes and switches of the image tower, an EfficientNet; the defaults are those of B7."""

    model_type = "align_vision_model"
    base_config_key = "vision_config"


class AlignConfig(PretrainedConfig):
    """Both towers, and the width of the images' vectors, which texts are projected to."""

    model_type = "align"

    text_config: AlignTextConfig = sub_config(AlignTextConfig)
    vision_config: AlignVisionConfig = sub_config(AlignVisionConfig)
    projection_dim: int = 640
    temperature_init_value: float = 1.0
    initializer_range: float = 0.02

    @classmethod
    def from_text_vision_configs(
        cls, text_config: PretrainedConfig, vision_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """A config of two towers' configs."""
        return cls(text_config=text_config.to_dict(), vision_config=vision_config.to_dict(), **kwargs)
