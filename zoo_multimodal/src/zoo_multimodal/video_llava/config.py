"""Configuration of Video-LLaVA."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.llava.config import LlavaConfig


class VideoLlavaConfig(LlavaConfig):
    """As of LLaVA, with a tower for images and one of the same kind for videos."""

    model_type = "video_llava"
    attribute_map = {"image_token_id": "image_token_index", "video_token_id": "video_token_index"}

    vision_config: PretrainedConfig = sub_config(
        "clip_vision_model",
        intermediate_size=4096,
        hidden_size=1024,
        patch_size=14,
        image_size=224,
        num_hidden_layers=24,
        num_attention_heads=16,
        vocab_size=32000,
        projection_dim=768,
    )
    video_token_index: int = 32001
    image_seq_length: int = 256
    video_seq_length: int = 2056
