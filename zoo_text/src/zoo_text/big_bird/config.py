"""Configuration of BigBird."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class BigBirdConfig(PretrainedConfig):
    """Sizes and switches of a BigBird.

    attention_type: "block_sparse", or "original_full" as in BERT. block_size, num_random_blocks: of the
    sparse kind. use_bias: of queries, keys and values. rescale_embeddings: words times sqrt(hidden_size).
    """

    model_type = "big_bird"

    vocab_size: int = 50358
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 4096
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    use_cache: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    sep_token_id: int | None = 66
    attention_type: str = "block_sparse"
    use_bias: bool = True
    rescale_embeddings: bool = False
    block_size: int = 64
    num_random_blocks: int = 3
    classifier_dropout: float | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        if self.attention_type not in ("block_sparse", "original_full"):
            yield "attention_type", "must be block_sparse or original_full"
        if self.block_size < 1:
            yield "block_size", "must be 1 or more"
