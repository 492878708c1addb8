"""Configuration of Blenderbot small."""

from __future__ import annotations

from zoo_text.bart.config import BartConfig


class BlenderbotSmallConfig(BartConfig):
    """Sizes and switches of a small Blenderbot; the defaults are those of blenderbot_small-90M."""

    model_type = "blenderbot-small"
    num_labels = 2

    max_position_embeddings: int = 512
    encoder_layers: int = 8
    encoder_ffn_dim: int = 2048
    decoder_layers: int = 8
    decoder_ffn_dim: int = 2048
    d_model: int = 512
    decoder_start_token_id: int | None = 1
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
