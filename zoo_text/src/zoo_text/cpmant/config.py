"""Configuration of CPM-Ant."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class CpmAntConfig(PretrainedConfig):
    """Sizes and switches of a CPM-Ant; the defaults are those of the 10B model."""

    model_type = "cpmant"

    vocab_size: int = 30720
    hidden_size: int = 4096
    num_attention_heads: int = 32
    dim_head: int = 128
    dim_ff: int = 10240
    num_hidden_layers: int = 48
    dropout_p: float = 0.0
    position_bias_num_buckets: int = 512
    position_bias_max_distance: int = 2048
    eps: float = 1e-6
    init_std: float = 1.0
    prompt_types: int = 32
    prompt_length: int = 32
    segment_types: int = 32
    use_cache: bool = True
