"""Configurations of Parakeet."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config


class ParakeetEncoderConfig(PretrainedConfig):
    """Sizes and switches of the FastConformer; the defaults are those of parakeet-ctc-0.6b."""

    model_type = "parakeet_encoder"
    attribute_map = {  # the names by which the Conformer's layers ask
        "speech_encoder_attention_heads": "num_attention_heads",
        "speech_encoder_dropout": "dropout",
        "speech_encoder_hidden_act": "hidden_act",
        "speech_encoder_intermediate_size": "intermediate_size",
        "conv_depthwise_kernel_size": "conv_kernel_size",
    }

    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 8
    intermediate_size: int = 4096
    hidden_act: str = "silu"
    attention_bias: bool = True
    conv_kernel_size: int = 9
    subsampling_factor: int = 8
    subsampling_conv_channels: int = 256
    num_mel_bins: int = 80
    subsampling_conv_kernel_size: int = 3
    subsampling_conv_stride: int = 2
    dropout: float = 0.1
    dropout_positions: float = 0.0
    layerdrop: float = 0.1
    activation_dropout: float = 0.1
    attention_dropout: float = 0.1
    max_position_embeddings: int = 5000
    scale_input: bool = True
    initializer_range: float = 0.02
    num_key_value_heads: int | None = None

    def __post_init__(self) -> None:
        self.num_key_value_heads = self.num_attention_heads

    def check(self) -> Iterator[tuple[str, str]]:
        if self.subsampling_factor < 2 or self.subsampling_factor & (self.subsampling_factor - 1):
            yield "subsampling_factor", "must be a power of two, 2 or more"
        if self.conv_kernel_size % 2 == 0:
            yield "conv_kernel_size", "must be odd"


class ParakeetCTCConfig(PretrainedConfig):
    """An encoder and a vocabulary; the defaults are those of parakeet-ctc-1.1b."""

    model_type = "parakeet_ctc"

    vocab_size: int = 1025
    ctc_loss_reduction: str = "mean"
    ctc_zero_infinity: bool = True
    encoder_config: PretrainedConfig = sub_config("parakeet_encoder")
    pad_token_id: int | None = 1024
    initializer_range: float = 0.02
