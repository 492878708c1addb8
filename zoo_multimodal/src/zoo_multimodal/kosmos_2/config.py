"""Configurations of KOSMOS-2 and its parts."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.clip.config import CLIPVisionConfig


class Kosmos2TextConfig(PretrainedConfig):
    """Sizes and switches of the decoder."""

    model_type = "kosmos_2_text_model"
    base_config_key = "text_config"
    attribute_map = {
        "num_attention_heads": "attention_heads",
        "hidden_size": "embed_dim",
        "num_hidden_layers": "layers",
    }

    vocab_size: int = 65037
    max_position_embeddings: int = 2048
    embed_dim: int = 2048
    layers: int = 24
    ffn_dim: int = 8192
    attention_heads: int = 32
    activation_function: str = "gelu"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.0
    layerdrop: float = 0.0
    layer_norm_eps: float = 1e-5
    init_std: float = 0.02
    scale_embedding: bool = True
    use_cache: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2


class Kosmos2VisionConfig(CLIPVisionConfig):
    """Sizes and switches of the image tower, a CLIP's."""

    model_type = "kosmos_2_vision_model"

    hidden_size: int = 1024
    intermediate_size: int = 4096
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    patch_size: int = 14


class Kosmos2Config(PretrainedConfig):
    """Both parts, and of how many features an image has in the text."""

    model_type = "kosmos-2"

    text_config: Kosmos2TextConfig = sub_config(Kosmos2TextConfig)
    vision_config: Kosmos2VisionConfig = sub_config(Kosmos2VisionConfig)
    latent_query_num: int = 64
