"""Configurations of Qwen2-Audio."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config


class Qwen2AudioEncoderConfig(PretrainedConfig):
    """Sizes and switches of the speech encoder; the defaults are those of Qwen2-Audio-7B."""

    model_type = "qwen2_audio_encoder"
    attribute_map = {"hidden_size": "d_model", "num_attention_heads": "encoder_attention_heads"}

    num_mel_bins: int = 128
    encoder_layers: int = 32
    encoder_attention_heads: int = 20
    encoder_ffn_dim: int = 5120
    encoder_layerdrop: float = 0.0
    d_model: int = 1280
    dropout: float = 0.0
    attention_dropout: float = 0.0
    activation_function: str = "gelu"
    activation_dropout: float = 0.0
    scale_embedding: bool = False
    initializer_range: float = 0.02
    max_source_positions: int = 1500

    def __post_init__(self) -> None:
        self.num_hidden_layers = self.encoder_layers


class Qwen2AudioConfig(PretrainedConfig):
    """A speech encoder and a language model; the defaults are those of Qwen2-Audio-7B."""

    model_type = "qwen2_audio"
    attribute_map = {"audio_token_id": "audio_token_index"}

    audio_config: PretrainedConfig = sub_config("qwen2_audio_encoder")
    text_config: PretrainedConfig = sub_config("qwen2")
    audio_token_index: int = 151646
