"""Configuration of Speech2Text 2."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class Speech2Text2Config(PretrainedConfig):
    """Sizes and switches of the decoder; the defaults are those of s2t-wav2vec2-large-en-de."""

    model_type = "speech_to_text_2"
    attribute_map = {"num_attention_heads": "decoder_attention_heads", "hidden_size": "d_model"}

    vocab_size: int = 10000
    decoder_layers: int = 6
    decoder_ffn_dim: int = 2048
    decoder_attention_heads: int = 4
    decoder_layerdrop: float = 0.0
    use_cache: bool = True
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
    max_target_positions: int = 1024

    def __post_init__(self) -> None:
        self.num_hidden_layers = self.decoder_layers
