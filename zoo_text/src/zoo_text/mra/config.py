"""Configuration of MRA."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class MraConfig(PretrainedConfig):
    """Sizes and switches of an MRA.

    Of all pairs of 32 queries and 32 keys, `block_per_row` for each 32 positions that the model has are
    computed exactly; the rest are approximated by their means (`approx_mode` "full") or left out ("sparse").
    The first `initial_prior_first_n_blocks` rows and columns of blocks and
    `initial_prior_diagonal_n_blocks` diagonals are chosen before others.
    """

    model_type = "mra"

    vocab_size: int = 50265
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    position_embedding_type: str = "absolute"
    block_per_row: int = 4
    approx_mode: str = "full"
    initial_prior_first_n_blocks: int = 0
    initial_prior_diagonal_n_blocks: int = 0
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2

    def check(self) -> Iterator[tuple[str, str]]:
        if self.approx_mode not in ("full", "sparse"):
            yield "approx_mode", "must be 'full' or 'sparse'"
        if self.block_per_row < 0:
            yield "block_per_row", "must not be negative"
