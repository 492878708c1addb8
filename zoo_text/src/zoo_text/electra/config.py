"""Configuration of ELECTRA."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class ElectraConfig(BertConfig):
    """Sizes and switches of an ELECTRA; the defaults are those of electra-small-discriminator."""

    model_type = "electra"

    embedding_size: int = 128
    hidden_size: int = 256
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = "gelu"
    summary_last_dropout: float = 0.1
