"""Configuration of PEGASUS."""

from __future__ import annotations

from zoo_text.bart.config import BartConfig


class PegasusConfig(BartConfig):
    """Sizes and switches of a PEGASUS; the defaults are those of pegasus-large."""

    model_type = "pegasus"
    num_labels = 2

    decoder_start_token_id: int | None = 0
    pad_token_id: int | None = 0
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = 1
    forced_eos_token_id: int | list[int] | None = 1
