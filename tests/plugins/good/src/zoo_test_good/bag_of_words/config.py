"""Configuration of the bag of words."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class BagOfWordsConfig(PretrainedConfig):
    """Number of words and width of their vectors."""

    model_type = "bag_of_words"

    vocab_size: int = 32
    hidden_size: int = 8
    pad_token_id: int | None = 0
