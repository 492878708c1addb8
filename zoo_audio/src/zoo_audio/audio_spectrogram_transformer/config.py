"""Configuration of the Audio Spectrogram Transformer."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class ASTConfig(PretrainedConfig):
    """Sizes and switches of an AST; the defaults are those of ast-finetuned-audioset-10-10-0.4593."""

    model_type = "audio-spectrogram-transformer"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    patch_size: int = 16
    qkv_bias: bool = True
    frequency_stride: int = 10
    time_stride: int = 10
    max_length: int = 1024
    num_mel_bins: int = 128
