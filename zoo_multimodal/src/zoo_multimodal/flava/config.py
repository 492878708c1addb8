"""Configurations of FLAVA and its parts."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_vision.vit.config import ViTConfig


class FlavaEncoderConfig(PretrainedConfig):
    """What the encoders of texts and of both share: sizes and switches of a ViT's layers."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    qkv_bias: bool = True


class FlavaTextConfig(FlavaEncoderConfig):
    """Sizes and switches of the encoder of texts."""

    model_type = "flava_text_model"
    base_config_key = "text_config"

    vocab_size: int = 30522
    type_vocab_size: int = 2
    max_position_embeddings: int = 512
    position_embedding_type: str = "absolute"
    pad_token_id: int | None = 0


class FlavaImageConfig(ViTConfig):
    """A ViT's; `mask_token` says whether patches can be hidden, `vocab_size` counts the codes of patches."""

    model_type = "flava_image_model"
    base_config_key = "image_config"

    mask_token: bool = True
    vocab_size: int = 8192


class FlavaMultimodalConfig(FlavaEncoderConfig):
    """Sizes and switches of the encoder of both."""

    model_type = "flava_multimodal_model"
    base_config_key = "multimodal_config"

    num_hidden_layers: int = 6
    use_cls_token: bool = True


class FlavaImageCodebookConfig(PretrainedConfig):
    """Sizes of the codebook; `freeze` keeps it from training. There are always four groups of blocks;
    `num_groups` only scales what each block adds."""

    model_type = "flava_image_codebook"
    base_config_key = "image_codebook_config"

    num_groups: int = 4
    input_channels: int = 3
    num_blocks_per_group: int = 2
    hidden_size: int = 256
    vocab_size: int = 8192
    freeze: bool = True
    initializer_range: float = 0.02


class FlavaConfig(PretrainedConfig):
    """The parts, and how much each objective of pre-training counts."""

    model_type = "flava"

    image_config: FlavaImageConfig = sub_config(FlavaImageConfig)
    text_config: FlavaTextConfig = sub_config(FlavaTextConfig)
    multimodal_config: FlavaMultimodalConfig = sub_config(FlavaMultimodalConfig)
    image_codebook_config: FlavaImageCodebookConfig = sub_config(FlavaImageCodebookConfig)
    hidden_size: int = 768
    layer_norm_eps: float = 1e-12
    projection_dim: int = 768
    init_codebook: bool = True
    logit_scale_init_value: float = 2.6592
    initializer_range: float = 0.02
    ce_ignore_index: int = -100
    mim_weight: float = 1.0
    mlm_weight: float = 1.0
    global_contrastive_weight: float = 1.0
    itm_weight: float = 1.0
    mmm_image_weight: float = 1.0
    mmm_text_weight: float = 1.0
    global_backprop_contrastive: bool = True
    skip_unmasked_multimodal_encoder: bool = True
    return_loss: bool = True
