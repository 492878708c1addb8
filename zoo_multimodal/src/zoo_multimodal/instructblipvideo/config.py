"""Configurations of InstructBLIP for videos: InstructBLIP's, under other names."""

from __future__ import annotations

from zoo_core.config import sub_config
from zoo_multimodal.blip_2.config import QueryingConfig
from zoo_multimodal.instructblip.config import InstructBlipQFormerConfig, InstructBlipVisionConfig


class InstructBlipVideoVisionConfig(InstructBlipVisionConfig):
    """As of InstructBLIP."""

    model_type = "instructblipvideo_vision_model"


class InstructBlipVideoQFormerConfig(InstructBlipQFormerConfig):
    """As of InstructBLIP."""

    model_type = "instructblipvideo_qformer"


class InstructBlipVideoConfig(QueryingConfig):
    """Image encoder, querying transformer and language model."""

    model_type = "instructblipvideo"
    attribute_map = {"video_token_id": "video_token_index"}

    vision_config: InstructBlipVideoVisionConfig = sub_config(InstructBlipVideoVisionConfig)
    qformer_config: InstructBlipVideoQFormerConfig = sub_config(InstructBlipVideoQFormerConfig)
    video_token_index: int | None = None
