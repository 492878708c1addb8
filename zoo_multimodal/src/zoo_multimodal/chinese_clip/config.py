"""Configurations of Chinese-CLIP and its towers."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.clip.config import CLIPConfig, CLIPVisionConfig


class ChineseCLIPTextConfig(PretrainedConfig):
    """Sizes and switches of the text tower, a BERT."""

    model_type = "chinese_clip_text_model"
    base_config_key = "text_config"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    initializer_factor: float = 1.0
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    position_embedding_type: str = "absolute"
    use_cache: bool = True


class ChineseCLIPVisionConfig(CLIPVisionConfig):
    """Sizes and switches of the image tower, CLIP's."""

    model_type = "chinese_clip_vision_model"


class ChineseCLIPConfig(CLIPConfig):
    """Both towers, and the space that they project to."""

    model_type = "chinese_clip"

    text_config: ChineseCLIPTextConfig = sub_config(ChineseCLIPTextConfig)  # type: ignore[assignment]
    vision_config: ChineseCLIPVisionConfig = sub_config(ChineseCLIPVisionConfig)
    initializer_range: float = 0.02
