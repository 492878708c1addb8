"""Configuration of Megatron-BERT."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class MegatronBertConfig(BertConfig):
    """Sizes and switches of a Megatron-BERT; the defaults are those of the 345M model."""

    model_type = "megatron-bert"

    vocab_size: int = 29056
    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    intermediate_size: int = 4096
