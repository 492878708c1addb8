"""Configuration of M2M-100."""

from __future__ import annotations

from zoo_text.bart.config import BartConfig


class M2M100Config(BartConfig):
    """Sizes and switches of an M2M-100; the defaults are those of m2m100_418M."""

    model_type = "m2m_100"
    num_labels = 2

    vocab_size: int = 128112
    encoder_layerdrop: float = 0.05
    decoder_layerdrop: float = 0.05
    activation_function: str = "relu"
    attention_dropout: float = 0.1
    scale_embedding: bool = True
    forced_eos_token_id: int | list[int] | None = None
