"""Configuration of QDQBERT."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class QDQBertConfig(BertConfig):
    """Sizes and switches of a BERT that is quantised; the ranges of its numbers stand in the checkpoint."""

    model_type = "qdqbert"

    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
