"""Configuration of JetMoE."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class JetMoeConfig(PretrainedConfig):
    """Sizes and switches of JetMoE."""

    model_type = "jetmoe"
    attribute_map = {"head_dim": "kv_channels", "router_aux_loss_coef": "aux_loss_coef"}

    vocab_size: int = 32000
    hidden_size: int = 2048
    num_hidden_layers: int = 12
    num_key_value_heads: int | None = 16
    kv_channels: int = 128
    intermediate_size: int = 5632
    max_position_embeddings: int = 4096
    activation_function: str = "silu"
    num_local_experts: int = 8
    num_experts_per_tok: int | None = 2
    output_router_logits: bool = False
    aux_loss_coef: float = 0.01
    use_cache: bool = True
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    tie_word_embeddings: bool = True
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-06
    initializer_range: float = 0.01
    attention_dropout: float = 0.0

    def __post_init__(self) -> None:
        self.num_attention_heads = self.num_key_value_heads * self.num_experts_per_tok
