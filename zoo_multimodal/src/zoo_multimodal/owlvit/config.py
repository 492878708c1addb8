"""Configurations of OWL-ViT and its towers."""

from __future__ import annotations

from zoo_core.config import sub_config
from zoo_multimodal.clip.config import CLIPConfig, CLIPTextConfig, CLIPVisionConfig


class OwlViTTextConfig(CLIPTextConfig):
    """Sizes and switches of the text tower."""

    model_type = "owlvit_text_model"

    max_position_embeddings: int = 16
    pad_token_id: int | None = 0


class OwlViTVisionConfig(CLIPVisionConfig):
    """Sizes and switches of the image tower."""

    model_type = "owlvit_vision_model"

    image_size: int = 768


class OwlViTConfig(CLIPConfig):
    """Both towers, and the space that they project to."""

    model_type = "owlvit"

    text_config: OwlViTTextConfig = sub_config(OwlViTTextConfig)
    vision_config: OwlViTVisionConfig = sub_config(OwlViTVisionConfig)
