"""Configuration of UMT5."""

from __future__ import annotations

from zoo_text.mt5.config import MT5Config


class UMT5Config(MT5Config):
    """Sizes and switches of a UMT5; the defaults are those of umt5-small."""

    model_type = "umt5"

    tie_word_embeddings: bool = True
