"""Configuration of RoBERTa."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class RobertaConfig(BertConfig):
    """Sizes and switches of a RoBERTa."""

    model_type = "roberta"

    vocab_size: int = 50265
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
