"""Configuration of PLBART."""

from __future__ import annotations

from zoo_text.bart.config import BartConfig


class PLBartConfig(BartConfig):
    """Sizes and switches of a PLBART; the defaults are those of plbart-base."""

    model_type = "plbart"
    attribute_map = {**BartConfig.attribute_map, "initializer_range": "init_std"}
    num_labels = 2

    vocab_size: int = 50005
    encoder_layers: int = 6
    encoder_ffn_dim: int = 3072
    encoder_attention_heads: int = 12
    decoder_layers: int = 6
    decoder_ffn_dim: int = 3072
    decoder_attention_heads: int = 12
    d_model: int = 768
    attention_dropout: float = 0.1
    scale_embedding: bool = True
    decoder_start_token_id: int | None = None
