"""Configuration of dense passage retrieval."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class DPRConfig(BertConfig):
    """A BERT's; `projection_dim` is the width of the vectors, 0 for that of the BERT."""

    model_type = "dpr"

    projection_dim: int = 0
