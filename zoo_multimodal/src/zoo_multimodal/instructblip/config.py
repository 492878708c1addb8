"""Configurations of InstructBLIP and its parts."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.blip_2.config import Blip2VisionConfig, QueryingConfig


class InstructBlipVisionConfig(Blip2VisionConfig):
    """As of BLIP-2."""

    model_type = "instructblip_vision_model"


class InstructBlipQFormerConfig(PretrainedConfig):
    """As of BLIP-2; this querying transformer always reads text."""

    model_type = "instructblip_qformer"
    base_config_key = "qformer_config"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    position_embedding_type: str = "absolute"
    cross_attention_frequency: int = 2
    encoder_hidden_size: int = 1408


class InstructBlipConfig(QueryingConfig):
    """Image encoder, querying transformer and language model."""

    model_type = "instructblip"
    attribute_map = {"image_token_id": "image_token_index"}

    vision_config: InstructBlipVisionConfig = sub_config(InstructBlipVisionConfig)
    qformer_config: InstructBlipQFormerConfig = sub_config(InstructBlipQFormerConfig)
    image_token_index: int | None = None
