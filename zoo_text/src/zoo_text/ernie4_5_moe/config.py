"""Configuration of ERNIE 4.5 MoE."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class Ernie4_5_MoeConfig(PretrainedConfig):
    """Sizes and switches of ERNIE 4.5 MoE."""

    model_type = "ernie4_5_moe"
    attribute_map = {"num_experts": "moe_num_experts", "num_experts_per_tok": "moe_k"}

    vocab_size: int = 103424
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    hidden_size: int = 2560
    intermediate_size: int = 12288
    num_hidden_layers: int = 28
    num_attention_heads: int = 20
    num_key_value_heads: int | None = 4
    hidden_act: str = "silu"
    max_position_embeddings: int = 131072
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-05
    use_cache: bool = True
    tie_word_embeddings: bool = True
    rope_theta: float = 500000.0
    rope_scaling: dict[str, Any] | None = None
    use_bias: bool = False
    moe_intermediate_size: int = 1536
    moe_k: int = 6
    moe_num_experts: int = 64
    moe_num_shared_experts: int = 2
    moe_layer_start_index: int = 1
    moe_layer_end_index: int = -1
    moe_layer_interval: int = 1
    moe_norm_min: float = 1e-12
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001

    def is_sparse(self, layer_idx: int) -> bool:
        """Whether a layer has experts."""
        last = self.moe_layer_end_index if self.moe_layer_end_index >= 0 else self.num_hidden_layers - 1
        regular = (layer_idx + 1) % self.moe_layer_interval == 0
        return regular and self.moe_layer_start_index <= layer_idx <= last
