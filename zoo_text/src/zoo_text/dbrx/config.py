"""Configuration of DBRX."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config


class DbrxAttentionConfig(PretrainedConfig):
    """Attention of a DBRX."""

    attn_pdrop: float = 0.0
    clip_qkv: float | None = None
    kv_n_heads: int = 1
    rope_theta: float = 10000.0


class DbrxFFNConfig(PretrainedConfig):
    """Mixture of experts of a DBRX."""

    ffn_act_fn: dict[str, Any] = field({"name": "silu"})
    ffn_hidden_size: int = 3584
    moe_num_experts: int = 4
    moe_top_k: int = 1
    moe_jitter_eps: float | None = None
    moe_loss_weight: float = 0.01
    moe_normalize_expert_weights: float | None = 1.0


class DbrxConfig(PretrainedConfig):
    """Sizes and switches of a DBRX."""

    model_type = "dbrx"
    attribute_map = {
        "num_attention_heads": "n_heads",
        "hidden_size": "d_model",
        "num_hidden_layers": "n_layers",
        "max_position_embeddings": "max_seq_len",
    }

    d_model: int = 2048
    n_heads: int = 16
    n_layers: int = 24
    max_seq_len: int = 2048
    vocab_size: int = 32000
    resid_pdrop: float = 0.0
    emb_pdrop: float = 0.0
    attn_config: DbrxAttentionConfig = sub_config(DbrxAttentionConfig, fixed=True)
    ffn_config: DbrxFFNConfig = sub_config(DbrxFFNConfig, fixed=True)
    use_cache: bool = True
    initializer_range: float = 0.02
    output_router_logits: bool = False
    tie_word_embeddings: bool = False

    def __post_init__(self) -> None:
        self.num_key_value_heads = self.attn_config.kv_n_heads

    @property
    def num_experts_per_tok(self) -> int:
        """Experts that a token visits."""
        return self.ffn_config.moe_top_k

    @property
    def router_aux_loss_coef(self) -> float:
        """Factor of the load-balancing loss."""
        return self.ffn_config.moe_loss_weight
