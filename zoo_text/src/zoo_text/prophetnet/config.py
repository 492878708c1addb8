"""Configuration of ProphetNet."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class ProphetNetConfig(PretrainedConfig):
    """Sizes and switches of a ProphetNet; the defaults are those of prophetnet-large-uncased.

    ngram: tokens predicted at once. num_buckets, relative_max_distance: see `relative_buckets`.
    disable_ngram_loss: train on the next token alone. eps: label smoothing.
    """

    model_type = "prophetnet"
    attribute_map = {
        "num_attention_heads": "num_encoder_attention_heads",
        "num_hidden_layers": "num_encoder_layers",
    }

    activation_dropout: float = 0.1
    activation_function: str = "gelu"
    vocab_size: int = 30522
    hidden_size: int = 1024
    encoder_ffn_dim: int = 4096
    num_encoder_layers: int = 12
    num_encoder_attention_heads: int = 16
    decoder_ffn_dim: int = 4096
    num_decoder_layers: int = 12
    num_decoder_attention_heads: int = 16
    attention_dropout: float = 0.1
    dropout: float = 0.1
    max_position_embeddings: int = 512
    init_std: float = 0.02
    is_encoder_decoder: bool = True
    add_cross_attention: bool = True
    decoder_start_token_id: int | None = 0
    ngram: int = 2
    num_buckets: int = 32
    relative_max_distance: int = 128
    disable_ngram_loss: bool = False
    eps: float = 0.0
    use_cache: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    def check(self) -> Iterator[tuple[str, str]]:
        if self.ngram < 1:
            yield "ngram", "must be positive"
        if self.pad_token_id is None:
            yield "pad_token_id", "must be set: positions begin after it"
