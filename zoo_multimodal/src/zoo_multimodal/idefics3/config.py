"""Configurations of Idefics3 and its image tower."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.idefics2.config import Idefics2VisionConfig


class Idefics3VisionConfig(Idefics2VisionConfig):
    """Sizes and switches of the image tower."""

    model_type = "idefics3_vision"

    hidden_size: int = 1152
    num_attention_heads: int = 16


class Idefics3Config(PretrainedConfig):
    """An image tower, whose features are joined `scale_factor` squared at a time, and a language model."""

    model_type = "idefics3"

    use_cache: bool = True
    image_token_id: int = 128257
    tie_word_embeddings: bool = False
    vision_config: Idefics3VisionConfig = sub_config(Idefics3VisionConfig, fixed=True)
    text_config: PretrainedConfig = sub_config(
        "llama", rms_norm_eps=1e-5, pad_token_id=128002, tie_word_embeddings=False
    )
    scale_factor: int = 2
    pad_token_id: int | None = 128002
