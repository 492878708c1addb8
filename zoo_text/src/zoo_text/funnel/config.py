"""Configuration of the Funnel Transformer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class FunnelConfig(PretrainedConfig):
    """Sizes and switches of a Funnel Transformer; the defaults are those of funnel-transformer/small.

    block_sizes: layers of each block; before every block but the first the sequence is halved.
    block_repeats: how often each layer of a block is applied, by default once.
    pooling_type: "mean" or "max" of two neighbours. pool_q_only: the first layer of a block attends to the
        sequence before it was halved.
    separate_cls: the first state is kept apart, not pooled. truncate_seq: the last state then goes, so that
        a power of two stays one.
    attention_type: "relative_shift" or "factorized", two ways to compute one sum.
    initializer_std: of the matrices, by default by their widths; initializer_range: of attention's own.
    """

    model_type = "funnel"
    attribute_map = {"hidden_size": "d_model", "num_attention_heads": "n_head"}

    vocab_size: int = 30522
    block_sizes: list[int] = [4, 4, 4]
    block_repeats: list[int] | None = None
    num_decoder_layers: int = 2
    d_model: int = 768
    n_head: int = 12
    d_head: int = 64
    d_inner: int = 3072
    hidden_act: str = "gelu_new"
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.0
    initializer_range: float = 0.1
    initializer_std: float | None = None
    layer_norm_eps: float = 1e-9
    pooling_type: str = "mean"
    attention_type: str = "relative_shift"
    separate_cls: bool = True
    truncate_seq: bool = True
    pool_q_only: bool = True

    def __post_init__(self) -> None:
        if self.block_repeats is None:
            self.block_repeats = [1] * len(self.block_sizes)

    @property
    def num_hidden_layers(self) -> int:
        """Layers of all blocks; set block_sizes to change it."""
        return sum(self.block_sizes)

    @property
    def num_blocks(self) -> int:
        """Resolutions at which the sequence is read."""
        return len(self.block_sizes)

    def check(self) -> Iterator[tuple[str, str]]:
        if len(self.block_repeats or ()) != len(self.block_sizes):
            yield "block_repeats", f"must have an entry for each of the {len(self.block_sizes)} blocks"
        if not self.block_sizes or min(self.block_sizes) < 1:
            yield "block_sizes", "must name at least one layer for each block"
        if min(self.block_repeats or [1]) < 1:
            yield "block_repeats", "must be 1 or more"
        if self.pooling_type not in ("mean", "max"):
            yield "pooling_type", "must be 'mean' or 'max'"
        if self.attention_type not in ("relative_shift", "factorized"):
            yield "attention_type", "must be 'relative_shift' or 'factorized'"
