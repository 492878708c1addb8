"""Configuration of YOSO."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class YosoConfig(PretrainedConfig):
    """Sizes and switches of a YOSO.

    `hash_code_len` hyperplanes decide whether a query and a key meet; a convolution of the values over
    `conv_window` positions is added, unless that is None. `num_hash` and the switches after it tell how the
    original draws hashes; here attention is always their expectation.
    """

    model_type = "yoso"

    vocab_size: int = 50265
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 4096
    type_vocab_size: int = 1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    position_embedding_type: str = "absolute"
    use_expectation: bool = True
    hash_code_len: int = 9
    num_hash: int = 64
    conv_window: int | None = None
    use_fast_hash: bool = True
    lsh_backward: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | None = 2

    def check(self) -> Iterator[tuple[str, str]]:
        if self.conv_window is not None and self.conv_window % 2 == 0:
            yield "conv_window", "must be odd"
        if self.hash_code_len < 1:
            yield "hash_code_len", "must be at least 1"
