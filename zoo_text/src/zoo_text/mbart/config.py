"""Configuration of mBART."""

from __future__ import annotations

from zoo_text.bart.config import BartConfig


class MBartConfig(BartConfig):
    """Sizes and switches of an mBART; the defaults are those of mbart-large-cc25."""

    model_type = "mbart"
    num_labels = 2

    decoder_start_token_id: int | None = None
