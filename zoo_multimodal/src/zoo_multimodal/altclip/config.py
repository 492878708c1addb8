"""Configurations of AltCLIP and its towers."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.clip.config import CLIPConfig, CLIPVisionConfig


class AltCLIPTextConfig(PretrainedConfig):
    """Sizes and switches of the text tower, an XLM-RoBERTa; it gives vectors of `project_dim`."""

    model_type = "altclip_text_model"
    base_config_key = "text_config"

    vocab_size: int = 250002
    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    intermediate_size: int = 4096
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 514
    type_vocab_size: int = 1
    initializer_range: float = 0.02
    initializer_factor: float = 0.02
    layer_norm_eps: float = 1e-5
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    position_embedding_type: str = "absolute"
    use_cache: bool = True
    project_dim: int = 768


class AltCLIPVisionConfig(CLIPVisionConfig):
    """Sizes and switches of the image tower, CLIP's."""

    model_type = "altclip_vision_model"


class AltCLIPConfig(CLIPConfig):
    """Both towers, and the space that they project to."""

    model_type = "altclip"

    text_config: AltCLIPTextConfig = sub_config(AltCLIPTextConfig)  # type: ignore[assignment]
    vision_config: AltCLIPVisionConfig = sub_config(AltCLIPVisionConfig)
    projection_dim: int = 768
