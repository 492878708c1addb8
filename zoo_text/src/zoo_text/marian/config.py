"""Configuration of Marian."""

from __future__ import annotations

from zoo_text.bart.config import BartConfig


class MarianConfig(BartConfig):
    """Sizes and switches of a Marian model; the defaults are those of opus-mt-en-de."""

    model_type = "marian"
    num_labels = 2

    vocab_size: int = 58101
    decoder_vocab_size: int | None = None
    decoder_start_token_id: int | None = 58100
    pad_token_id: int | None = 58100
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = 0
    forced_eos_token_id: int | list[int] | None = 0
    share_encoder_decoder_embeddings: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.decoder_vocab_size is None:
            self.decoder_vocab_size = self.vocab_size
