"""Configurations of KOSMOS-2.5 and its parts."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.kosmos_2.config import Kosmos2TextConfig


class Kosmos2_5TextConfig(Kosmos2TextConfig):
    """Sizes and switches of the decoder."""

    model_type = "kosmos_2_5_text_model"

    vocab_size: int = 108481
    max_position_embeddings: int = 4096
    embed_dim: int = 1536
    ffn_dim: int = 6144
    attention_heads: int = 16
    attention_dropout: float = 0.0


class Kosmos2_5VisionConfig(PretrainedConfig):
    """Sizes and switches of the encoder of patches, a Pix2Struct's.

    Args:
        patch_embed_hidden_size: values of a patch. max_num_patches: rows, and columns, with embeddings.
    """

    model_type = "kosmos_2_5_vision_model"
    base_config_key = "vision_config"
    attribute_map = {"d_kv": "head_dim", "d_ff": "intermediate_size", "seq_len": "max_num_patches"}

    hidden_size: int = 1536
    patch_embed_hidden_size: int = 768
    intermediate_size: int = 3968
    head_dim: int = 64
    num_hidden_layers: int = 18
    num_attention_heads: int = 24
    dense_act_fn: str = "gelu_new"
    layer_norm_eps: float = 1e-6
    dropout_rate: float = 0.0
    attention_dropout: float = 0.0
    max_num_patches: int = 4096
    initializer_factor: float = 1.0
    initializer_range: float = 0.02


class Kosmos2_5Config(PretrainedConfig):
    """Both parts, and of how many features an image has in the text."""

    model_type = "kosmos-2.5"

    text_config: Kosmos2_5TextConfig = sub_config(Kosmos2_5TextConfig)
    vision_config: Kosmos2_5VisionConfig = sub_config(Kosmos2_5VisionConfig)
    latent_query_num: int = 2048
