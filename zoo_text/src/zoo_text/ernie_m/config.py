"""Configuration of ERNIE-M."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class ErnieMConfig(PretrainedConfig):
    """Sizes and switches of an ERNIE-M."""

    model_type = "ernie_m"
    attribute_map = {"dropout": "classifier_dropout", "num_classes": "num_labels"}

    vocab_size: int = 250002
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 514
    initializer_range: float = 0.02
    pad_token_id: int | None = 1
    layer_norm_eps: float = 1e-05
    classifier_dropout: float | None = None
    act_dropout: float = 0.0
