"""Configurations of Dia."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class DiaEncoderConfig(PretrainedConfig):
    """Sizes and switches of the encoder; the defaults are those of Dia-1.6B."""

    model_type = "dia_encoder"

    max_position_embeddings: int = 1024
    num_hidden_layers: int = 12
    hidden_size: int = 1024
    num_attention_heads: int = 16
    num_key_value_heads: int = 16
    head_dim: int = 128
    intermediate_size: int = 4096
    norm_eps: float = 1e-5
    vocab_size: int = 256
    hidden_act: str = "silu"
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    initializer_range: float = 0.02


class DiaDecoderConfig(PretrainedConfig):
    """Sizes and switches of the decoder; the defaults are those of Dia-1.6B."""

    model_type = "dia_decoder"

    max_position_embeddings: int = 3072
    num_hidden_layers: int = 18
    hidden_size: int = 2048
    intermediate_size: int = 8192
    num_attention_heads: int = 16
    num_key_value_heads: int = 4
    head_dim: int = 128
    cross_num_attention_heads: int = 16
    cross_head_dim: int = 128
    cross_num_key_value_heads: int = 16
    cross_hidden_size: int = 1024
    norm_eps: float = 1e-5
    vocab_size: int = 1028
    hidden_act: str = "silu"
    num_channels: int = 9
    rope_theta: float = 10000.0
    rope_scaling: dict[str, Any] | None = None
    initializer_range: float = 0.02
    use_cache: bool = True
    is_encoder_decoder: bool = True


class DiaConfig(PretrainedConfig):
    """An encoder of bytes and a decoder of DAC's codes, each channel late by `delay_pattern`."""

    model_type = "dia"

    encoder_config: PretrainedConfig = sub_config("dia_encoder")
    decoder_config: PretrainedConfig = sub_config("dia_decoder")
    norm_eps: float = 1e-5
    is_encoder_decoder: bool = True
    pad_token_id: int | None = 1025
    eos_token_id: int | list[int] | None = 1024
    bos_token_id: int | None = 1026
    delay_pattern: list[int] = field([0, 8, 9, 10, 11, 12, 13, 14, 15])
    initializer_range: float = 0.02
    use_cache: bool = True

    def check(self) -> Iterator[tuple[str, str]]:
        if len(self.delay_pattern) != self.decoder_config.num_channels:
            yield "delay_pattern", "must have an entry for each of decoder_config.num_channels"
