"""Configuration of Speech2Text."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class Speech2TextConfig(PretrainedConfig):
    """Sizes and switches of a Speech2Text; the defaults are those of s2t-small-librispeech-asr."""

    model_type = "speech_to_text"
    attribute_map = {"num_attention_heads": "encoder_attention_heads", "hidden_size": "d_model"}

    vocab_size: int = 10000
    encoder_layers: int = 12
    encoder_ffn_dim: int = 2048
    encoder_attention_heads: int = 4
    decoder_layers: int = 6
    decoder_ffn_dim: int = 2048
    decoder_attention_heads: int = 4
    encoder_layerdrop: float = 0.0
    decoder_layerdrop: float = 0.0
    use_cache: bool = True
    is_encoder_decoder: bool = True
    activation_function: str = "relu"
    d_model: int = 256
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    decoder_start_token_id: int | None = 2
    scale_embedding: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    max_source_positions: int = 6000
    max_target_positions: int = 1024
    num_conv_layers: int = 2
    conv_kernel_sizes: list[int] = field([5, 5])
    conv_channels: int = 1024
    input_feat_per_channel: int = 80
    input_channels: int = 1

    def __post_init__(self) -> None:
        self.num_hidden_layers = self.encoder_layers

    def check(self) -> Iterator[tuple[str, str]]:
        if len(self.conv_kernel_sizes) != self.num_conv_layers:
            yield "conv_kernel_sizes", "must be as long as num_conv_layers says"
