"""Configuration of LED."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig
from zoo_text.longformer.config import check_windows, windows_of


class LEDConfig(PretrainedConfig):
    """Sizes and switches of an LED; the defaults are those of led-large-16384.

    `attention_window` is the even number of neighbours that a token of the source sees, half of them on
    either side: one for all layers, or one for each.
    """

    model_type = "led"
    attribute_map = {
        "num_attention_heads": "encoder_attention_heads",
        "hidden_size": "d_model",
        "attention_probs_dropout_prob": "attention_dropout",
        "initializer_range": "init_std",
    }

    vocab_size: int = 50265
    max_encoder_position_embeddings: int = 16384
    max_decoder_position_embeddings: int = 1024
    encoder_layers: int = 12
    encoder_ffn_dim: int = 4096
    encoder_attention_heads: int = 16
    decoder_layers: int = 12
    decoder_ffn_dim: int = 4096
    decoder_attention_heads: int = 16
    encoder_layerdrop: float = 0.0
    decoder_layerdrop: float = 0.0
    use_cache: bool = True
    is_encoder_decoder: bool = True
    activation_function: str = "gelu"
    d_model: int = 1024
    dropout: float = 0.1
    attention_dropout: float = 0.0
    activation_dropout: float = 0.0
    init_std: float = 0.02
    decoder_start_token_id: int | None = 2
    classifier_dropout: float = 0.0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    attention_window: int | list[int] = 512

    def __post_init__(self) -> None:
        self.num_hidden_layers = self.encoder_layers

    @property
    def windows(self) -> list[int]:
        """The window of each layer of the encoder."""
        return windows_of(self.attention_window, self.encoder_layers)

    def check(self) -> Iterator[tuple[str, str]]:
        yield from check_windows(self.windows, self.encoder_layers)
