"""Configuration of Data2Vec for text."""

from __future__ import annotations

from zoo_text.roberta.config import RobertaConfig


class Data2VecTextConfig(RobertaConfig):
    """Sizes and switches of a Data2Vec for text."""

    model_type = "data2vec-text"

    vocab_size: int = 30522
