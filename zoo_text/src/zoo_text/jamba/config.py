"""Configuration of Jamba."""

from __future__ import annotations

import math

from zoo_core.config import PretrainedConfig


class JambaConfig(PretrainedConfig):
    """Sizes and switches of a Jamba; the defaults are those of Jamba v0.1.

    Every `attn_layer_period`-th layer from `attn_layer_offset` on has attention, the others a state space;
    every `expert_layer_period`-th from `expert_layer_offset` on a mixture of experts, the others an MLP.
    """

    model_type = "jamba"

    vocab_size: int = 65536
    tie_word_embeddings: bool = False
    hidden_size: int = 4096
    intermediate_size: int = 14336
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 8
    hidden_act: str = "silu"
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-6
    use_cache: bool = True
    num_logits_to_keep: int | None = 1
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    sliding_window: int | None = None
    max_position_embeddings: int = 262144
    attention_dropout: float = 0.0
    num_experts_per_tok: int = 2
    num_experts: int = 16
    expert_layer_period: int = 2
    expert_layer_offset: int = 1
    attn_layer_period: int = 8
    attn_layer_offset: int = 4
    use_mamba_kernels: bool = True
    mamba_d_state: int = 16
    mamba_d_conv: int = 4
    mamba_expand: int = 2
    mamba_dt_rank: int | str = "auto"
    mamba_conv_bias: bool = True
    mamba_proj_bias: bool = False

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.mamba_dt_rank == "auto":
            self.mamba_dt_rank = math.ceil(self.hidden_size / 16)

    @property
    def layers_block_type(self) -> list[str]:
        """ "attention" or "mamba" for each layer."""
        period, offset = self.attn_layer_period, self.attn_layer_offset
        return ["attention" if i % period == offset else "mamba" for i in range(self.num_hidden_layers)]

    @property
    def layers_num_experts(self) -> list[int]:
        """The number of experts of each layer; 1 is an MLP."""
        period, offset = self.expert_layer_period, self.expert_layer_offset
        return [self.num_experts if i % period == offset else 1 for i in range(self.num_hidden_layers)]
