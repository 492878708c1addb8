"""Configuration of LayoutLM."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class LayoutLMConfig(BertConfig):
    """A BERT's, and below which number the coordinates of boxes are."""

    model_type = "layoutlm"

    max_2d_position_embeddings: int = 1024
