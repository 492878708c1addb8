"""Configuration of Segment Anything in High Quality."""

from __future__ import annotations

from zoo_core.config import sub_config
from zoo_vision.sam.config import SamConfig, SamMaskDecoderConfig, SamPromptEncoderConfig, SamVisionConfig


class SamHQVisionConfig(SamVisionConfig):
    """The image encoder, as SAM's."""

    model_type = "sam_hq_vision_model"


class SamHQPromptEncoderConfig(SamPromptEncoderConfig):
    """The encoder of points, boxes and masks, as SAM's."""


class SamHQMaskDecoderConfig(SamMaskDecoderConfig):
    """The decoder of masks; `vit_dim` is the width of the image encoder."""

    vit_dim: int = 768


class SamHQConfig(SamConfig):
    """The three parts."""

    model_type = "sam_hq"

    vision_config: SamHQVisionConfig = sub_config(SamHQVisionConfig)
    prompt_encoder_config: SamHQPromptEncoderConfig = sub_config(SamHQPromptEncoderConfig, fixed=True)
    mask_decoder_config: SamHQMaskDecoderConfig = sub_config(SamHQMaskDecoderConfig, fixed=True)
