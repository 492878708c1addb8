"""Configuration of BERT for generation."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class BertGenerationConfig(PretrainedConfig):
    """Sizes and switches of a BERT without segments (bert_for_seq_generation_L-24)."""

    model_type = "bert-generation"

    vocab_size: int = 50358
    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    intermediate_size: int = 4096
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    bos_token_id: int | None = 2
    eos_token_id: int | list[int] | None = 1
    position_embedding_type: str = "absolute"
    use_cache: bool = True
