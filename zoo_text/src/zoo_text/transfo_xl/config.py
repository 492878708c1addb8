"""Configuration of Transformer-XL."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig
from zoo_core.config.fields import field


class TransfoXLConfig(PretrainedConfig):
    """Sizes and switches of a Transformer-XL; the defaults are those trained on WikiText-103.

    `cutoffs` part the vocabulary, most frequent words first; with `div_val` each further part has vectors
    that many times narrower. `same_length` lets all tokens see equally many others, `mem_len` of them.
    """

    model_type = "transfo-xl"
    attribute_map = {
        "n_token": "vocab_size",
        "hidden_size": "d_model",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }
    heads_divide_width = False

    vocab_size: int = 267735
    cutoffs: list[int] = field([20000, 40000, 200000])
    d_model: int = 1024
    d_embed: int = 1024
    n_head: int = 16
    d_head: int = 64
    d_inner: int = 4096
    div_val: int = 4
    pre_lnorm: bool = False
    n_layer: int = 18
    mem_len: int = 1600
    clamp_len: int = 1000
    same_length: bool = True
    proj_share_all_but_first: bool = True
    tie_projs: list[bool] | None = None
    attn_type: int = 0
    sample_softmax: int = -1
    adaptive: bool = True
    dropout: float = 0.1
    dropatt: float = 0.0
    untie_r: bool = True
    init: str = "normal"
    init_range: float = 0.01
    proj_init_std: float = 0.01
    init_std: float = 0.02
    layer_norm_epsilon: float = 1e-5
    eos_token_id: int | list[int] | None = 0

    def __post_init__(self) -> None:
        if self.tie_projs is None:
            self.tie_projs = [False] + [self.proj_share_all_but_first] * len(self.cutoffs)

    @property
    def parts(self) -> list[tuple[int, int]]:
        """First word and end of each part of the vocabulary."""
        return list(zip([0, *self.cutoffs], [*self.cutoffs, self.vocab_size], strict=True))

    def check(self) -> Iterator[tuple[str, str]]:
        if any(start >= end for start, end in self.parts):
            yield "cutoffs", f"must rise, and end below vocab_size ({self.vocab_size})"
        if self.attn_type != 0:
            yield "attn_type", "must be 0, the attention of the paper"
        if self.sample_softmax > 0:
            yield "sample_softmax", "must be -1: words are not sampled"
        if self.div_val < 1 or self.d_embed // self.div_val ** len(self.cutoffs) < 1:
            yield "div_val", "must leave the narrowest vectors at least one feature"
