"""Configurations of CSM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, sub_config


class CsmDepthDecoderConfig(PretrainedConfig):
    """Sizes and switches of the decoder over the codebooks of a frame; the defaults are those of csm-1b."""

    model_type = "csm_depth_decoder_model"

    num_codebooks: int = 32
    backbone_hidden_size: int = 2048
    vocab_size: int = 2051
    hidden_size: int = 1024
    intermediate_size: int = 8192
    num_hidden_layers: int = 4
    num_attention_heads: int = 8
    num_key_value_heads: int | None = 2
    hidden_act: str = "silu"
    max_position_embeddings: int = 33
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-5
    use_cache: bool = True
    rope_theta: float = 500000
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    attention_dropout: float = 0.0
    mlp_bias: bool = False
    head_dim: int | None = None
    tie_word_embeddings: bool = False

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads


class CsmConfig(CsmDepthDecoderConfig):
    """Sizes and switches of the backbone, with its depth decoder and codec; the defaults are of csm-1b."""

    model_type = "csm"

    backbone_hidden_size: int | None = None  # type: ignore[assignment]
    text_vocab_size: int = 128256
    hidden_size: int = 2048
    num_hidden_layers: int = 16
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 2048
    pad_token_id: int | None = 128002
    codebook_pad_token_id: int = 2050
    codebook_eos_token_id: int = 0
    bos_token_id: int | None = 128000
    audio_token_id: int = 128002
    audio_eos_token_id: int = 128003
    tie_codebooks_embeddings: bool = True
    depth_decoder_config: PretrainedConfig = sub_config("csm_depth_decoder_model")
    codec_config: PretrainedConfig = sub_config("mimi")

    def check(self) -> Iterator[tuple[str, str]]:
        if self.depth_decoder_config.num_codebooks != self.num_codebooks:
            yield "depth_decoder_config", "must have as many num_codebooks as the backbone"
