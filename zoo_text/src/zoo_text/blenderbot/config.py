"""Configuration of Blenderbot."""

from __future__ import annotations

from zoo_text.bart.config import BartConfig


class BlenderbotConfig(BartConfig):
    """Sizes and switches of a Blenderbot; the defaults are those of blenderbot-3B."""

    model_type = "blenderbot"
    num_labels = 2

    vocab_size: int = 8008
    max_position_embeddings: int = 128
    encoder_layers: int = 2
    encoder_ffn_dim: int = 10240
    encoder_attention_heads: int = 32
    decoder_layers: int = 24
    decoder_ffn_dim: int = 10240
    decoder_attention_heads: int = 32
    d_model: int = 2560
    decoder_start_token_id: int | None = 1
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    encoder_no_repeat_ngram_size: int = 3
