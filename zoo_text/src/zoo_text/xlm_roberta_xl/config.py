"""Configuration of XLM-RoBERTa-XL."""

from __future__ import annotations

from zoo_text.roberta.config import RobertaConfig


class XLMRobertaXLConfig(RobertaConfig):
    """Sizes and switches of an XLM-RoBERTa-XL."""

    model_type = "xlm-roberta-xl"

    vocab_size: int = 250880
    hidden_size: int = 2560
    num_hidden_layers: int = 36
    num_attention_heads: int = 32
    intermediate_size: int = 10240
    max_position_embeddings: int = 514
    type_vocab_size: int = 1
    layer_norm_eps: float = 1e-5
