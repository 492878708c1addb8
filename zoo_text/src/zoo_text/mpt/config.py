"""Configuration of an MPT."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig

ATTENTION_DEFAULTS: dict[str, Any] = {
    "alibi": True,
    "alibi_bias_max": 8,
    "attn_impl": "torch",
    "attn_pdrop": 0.0,
    "attn_type": "multihead_attention",
    "attn_uses_sequence_id": False,
    "clip_qkv": None,
    "model_type": "",
    "prefix_lm": False,
    "qk_ln": False,
    "softmax_scale": None,
}


class MptConfig(PretrainedConfig):
    """Sizes and switches of an MPT; the defaults are those of MPT 1B."""

    model_type = "mpt"
    attribute_map = {
        "num_attention_heads": "n_heads",
        "hidden_size": "d_model",
        "num_hidden_layers": "n_layers",
    }

    d_model: int = 2048
    n_heads: int = 16
    n_layers: int = 24
    expansion_ratio: int = 4
    max_seq_len: int = 2048
    vocab_size: int = 50368
    resid_pdrop: float = 0.0
    layer_norm_epsilon: float = 1e-5
    emb_pdrop: float = 0.0
    learned_pos_emb: bool = True
    attn_config: dict[str, Any] | None = None
    init_device: str = "cpu"
    logit_scale: float | str | None = None
    no_bias: bool = True
    verbose: int = 0
    embedding_fraction: float = 1.0
    norm_type: str = "low_precision_layernorm"
    use_cache: bool = False
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        self.attn_config = {**ATTENTION_DEFAULTS, **(self.attn_config or {})}
