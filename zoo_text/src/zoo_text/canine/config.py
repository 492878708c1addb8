"""Configuration of CANINE."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig

MOST_HASHES = 8


class CanineConfig(PretrainedConfig):
    """Sizes and switches of a CANINE.

    Characters are embedded by `num_hash_functions` hashes into `num_hash_buckets` rows each; the first layer
    looks at blocks of `local_transformer_stride` characters, and `downsampling_rate` of them become one place
    of the deep encoder.
    """

    model_type = "canine"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 16384
    type_vocab_size: int = 16
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 0
    bos_token_id: int | None = 0xE000
    eos_token_id: int | None = 0xE001
    downsampling_rate: int = 4
    upsampling_kernel_size: int = 4
    num_hash_functions: int = 8
    num_hash_buckets: int = 16384
    local_transformer_stride: int = 128

    def check(self) -> Iterator[tuple[str, str]]:
        if not 1 <= self.num_hash_functions <= MOST_HASHES:
            yield "num_hash_functions", f"must be from 1 to {MOST_HASHES}"
        elif self.hidden_size % self.num_hash_functions:
            yield "num_hash_functions", f"must divide hidden_size, which is {self.hidden_size}"
        for name in ("downsampling_rate", "upsampling_kernel_size", "local_transformer_stride"):
            if getattr(self, name) < 1:
                yield name, "must be at least 1"
