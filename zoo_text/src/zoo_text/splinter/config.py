"""Configuration of Splinter."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class SplinterConfig(PretrainedConfig):
    """Sizes and switches of a Splinter; question_token_id marks the place that asks for an answer."""

    model_type = "splinter"

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
    layer_norm_eps: float = 1e-12
    use_cache: bool = True
    pad_token_id: int | None = 0
    question_token_id: int = 104
