"""Configurations of Voxtral."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class VoxtralEncoderConfig(PretrainedConfig):
    """Sizes and switches of the speech encoder; the defaults are those of Voxtral-Mini-3B."""

    model_type = "voxtral_encoder"
    attribute_map = {
        "d_model": "hidden_size",
        "encoder_layers": "num_hidden_layers",
        "encoder_attention_heads": "num_attention_heads",
        "encoder_ffn_dim": "intermediate_size",
        "encoder_layerdrop": "layerdrop",
    }

    vocab_size: int = 51866
    hidden_size: int = 1280
    intermediate_size: int = 5120
    num_hidden_layers: int = 32
    num_attention_heads: int = 20
    scale_embedding: bool = False
    activation_function: str = "gelu"
    num_mel_bins: int = 128
    max_source_positions: int = 1500
    initializer_range: float = 0.02
    attention_dropout: float = 0.0
    dropout: float = 0.0
    layerdrop: float = 0.0
    activation_dropout: float = 0.0


class VoxtralConfig(PretrainedConfig):
    """A speech encoder, a language model, and how one's states become the other's embeddings."""

    model_type = "voxtral"

    audio_config: PretrainedConfig = sub_config("voxtral_encoder")
    text_config: PretrainedConfig = sub_config("llama")
    audio_token_id: int | None = None
    projector_hidden_act: str = "gelu"
