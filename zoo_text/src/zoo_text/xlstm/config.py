"""Configuration of xLSTM."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class xLSTMConfig(PretrainedConfig):
    """Sizes and switches of an xLSTM.

    `num_blocks` is another name of `num_hidden_layers`, and decides where both are given. Kernels, modes and
    the dtypes of states are choices of other implementations: they are kept and not used.
    """

    model_type = "xlstm"

    vocab_size: int = 50304
    hidden_size: int | None = 4096
    embedding_dim: int | None = None
    num_hidden_layers: int | None = 32
    num_blocks: int | None = None
    num_heads: int = 8
    use_bias: bool = False
    norm_reduction_force_float32: bool = True
    tie_word_embeddings: bool = False
    add_out_norm: bool = True
    norm_eps: float = 1e-6
    qk_dim_factor: float = 0.5
    v_dim_factor: float = 1.0
    chunkwise_kernel: str = "chunkwise--native_autograd"
    sequence_kernel: str = "native_sequence__native"
    step_kernel: str = "native"
    mode: str = "inference"
    chunk_size: int = 64
    return_last_states: bool = True
    autocast_kernel_dtype: str = "bfloat16"
    eps: float = 1e-6
    inference_state_dtype: str = "float32"
    ffn_proj_factor: float = 2.667
    ffn_round_up_to_multiple_of: int = 64
    gate_soft_cap: float = 15.0
    output_logit_soft_cap: float = 30.0
    weight_mode: str = "single"
    use_cache: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    max_inference_chunksize: int = 16384

    def __post_init__(self) -> None:
        if self.embedding_dim is None:
            self.embedding_dim = self.hidden_size
        if self.hidden_size is None:
            self.hidden_size = self.embedding_dim
        if self.num_blocks is None:
            self.num_blocks = self.num_hidden_layers
        self.num_hidden_layers = self.num_blocks

    @property
    def qk_dim(self) -> int:
        """Width of queries and keys over all heads."""
        return int((self.hidden_size or 0) * self.qk_dim_factor)

    @property
    def v_dim(self) -> int:
        """Width of values over all heads."""
        return int((self.hidden_size or 0) * self.v_dim_factor)

    @property
    def intermediate_size(self) -> int:
        """Width of the feed-forward blocks, rounded up."""
        unit = self.ffn_round_up_to_multiple_of
        return int(((self.hidden_size or 0) * self.ffn_proj_factor + unit - 1) // unit) * unit

    def check(self) -> Iterator[tuple[str, str]]:
        if self.qk_dim % self.num_heads or self.v_dim % self.num_heads:
            yield "num_heads", f"must divide the widths of keys ({self.qk_dim}) and values ({self.v_dim})"
        if self.embedding_dim != self.hidden_size:
            yield "embedding_dim", f"must be hidden_size ({self.hidden_size}): nothing lies between them"
        if self.weight_mode != "single":
            yield "weight_mode", 'must be "single": no published checkpoint fuses its matrices'
