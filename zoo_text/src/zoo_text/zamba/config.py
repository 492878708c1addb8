"""Configuration of Zamba."""

from __future__ import annotations

import math
from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class ZambaConfig(PretrainedConfig):
    """Sizes and switches of a Zamba; the defaults are those of Zamba 7B v1.

    `layers_block_type` says "mamba" or "hybrid" for each layer; by default the third is hybrid, and, counted
    after it, every `attn_layer_period`-th from `attn_layer_offset` on.
    """

    model_type = "zamba"

    vocab_size: int = 32000
    tie_word_embeddings: bool = True
    hidden_size: int = 3712
    attention_hidden_size: int | None = None
    intermediate_size: int = 14848
    num_hidden_layers: int = 76
    num_attention_heads: int = 16
    attention_head_dim: int | None = None
    num_key_value_heads: int | None = 16
    n_mamba_heads: int = 2
    hidden_act: str = "gelu"
    hidden_mamba_act: str = "silu"
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-5
    use_cache: bool = True
    num_logits_to_keep: int | None = 1
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    max_position_embeddings: int = 4096
    attention_dropout: float = 0.0
    attn_layer_period: int = 6
    attn_layer_offset: int = 4
    use_mamba_kernels: bool = True
    mamba_d_state: int = 16
    mamba_d_conv: int = 4
    mamba_expand: int = 2
    mamba_dt_rank: int | str = "auto"
    time_step_min: float = 0.001
    time_step_max: float = 0.1
    time_step_floor: float = 1e-4
    mamba_conv_bias: bool = True
    mamba_proj_bias: bool = False
    layers_block_type: list[str] | None = None

    def __post_init__(self) -> None:
        if self.attention_hidden_size is None:
            self.attention_hidden_size = 2 * self.hidden_size
        if self.attention_head_dim is None:
            self.attention_head_dim = 2 * self.hidden_size // self.num_attention_heads
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.mamba_dt_rank == "auto":
            self.mamba_dt_rank = math.ceil(self.hidden_size / 16)
        if self.layers_block_type is None:
            period, offset = self.attn_layer_period, self.attn_layer_offset
            hybrid = [i == 2 or (i > 2 and (i - 3) % period == offset) for i in range(self.num_hidden_layers)]
            self.layers_block_type = ["hybrid" if both else "mamba" for both in hybrid]

    def check(self) -> Iterator[tuple[str, str]]:
        if (self.mamba_expand * self.hidden_size) % self.n_mamba_heads:
            yield "n_mamba_heads", "must divide mamba_expand times hidden_size"
        if len(self.layers_block_type or ()) != self.num_hidden_layers:
            yield "layers_block_type", f"must have num_hidden_layers ({self.num_hidden_layers}) entries"
