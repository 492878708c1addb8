"""Configuration of XLNet."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class XLNetConfig(PretrainedConfig):
    """Sizes and switches of an XLNet; the defaults are those of xlnet-large-cased.

    attn_type: "bi", or "uni" for causal attention. same_length: with "uni", every token sees equally many.
    mem_len: positions that mems keep, None for all. reuse_len: tokens of a call that they may keep.
    bi_data: the second half of a batch is read backwards. clamp_len: the largest distance told apart.
    """

    model_type = "xlnet"
    attribute_map = {
        "n_token": "vocab_size",
        "hidden_size": "d_model",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = 32000
    d_model: int = 1024
    n_layer: int = 24
    n_head: int = 16
    d_head: int | None = None
    d_inner: int = 4096
    ff_activation: str = "gelu"
    untie_r: bool = True
    attn_type: str = "bi"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    dropout: float = 0.1
    mem_len: int | None = 512
    reuse_len: int | None = None
    use_mems_eval: bool = True
    use_mems_train: bool = False
    bi_data: bool = False
    clamp_len: int = -1
    same_length: bool = False
    summary_type: str = "last"
    summary_use_proj: bool = True
    summary_activation: str | None = "tanh"
    summary_last_dropout: float = 0.1
    start_n_top: int = 5
    end_n_top: int = 5
    pad_token_id: int | None = 5
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    def __post_init__(self) -> None:
        if self.d_head is None:
            self.d_head = self.d_model // self.n_head

    def check(self) -> Iterator[tuple[str, str]]:
        if self.d_head != self.d_model // self.n_head:
            yield "d_head", f"must be d_model // n_head ({self.d_model // self.n_head})"
        if self.attn_type not in ("bi", "uni"):
            yield "attn_type", "must be 'bi' or 'uni'"
