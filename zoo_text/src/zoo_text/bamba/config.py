"""Configuration of Bamba."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class HybridConfig(PretrainedConfig):
    """What decoders that mix attention with Mamba-2's state spaces have in common."""

    vocab_size: int = 128000
    tie_word_embeddings: bool = False
    hidden_size: int = 4096
    intermediate_size: int = 14336
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int | None = 8
    hidden_act: str = "silu"
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-5
    use_cache: bool = True
    num_logits_to_keep: int | None = 1
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    attention_dropout: float = 0.0
    mamba_n_heads: int = 128
    mamba_d_head: int | str = "auto"
    mamba_n_groups: int = 1
    mamba_d_state: int = 256
    mamba_d_conv: int = 4
    mamba_expand: int = 2
    mamba_chunk_size: int = 256
    mamba_conv_bias: bool = True
    mamba_proj_bias: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    rope_scaling: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads


class BambaConfig(HybridConfig):
    """Sizes and switches of a Bamba; the defaults are those of Bamba 9B.

    Layers in `attn_layer_indices` have attention, the others a state space.
    """

    model_type = "bamba"

    max_position_embeddings: int = 262144
    attn_layer_indices: list[int] | None = None
    z_loss_coefficient: float = 0.0
    rope_theta: float = 10000.0
    partial_rotary_factor: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mamba_d_head == "auto":
            self.mamba_d_head = self.mamba_expand * self.hidden_size // self.mamba_n_heads

    @property
    def layers_block_type(self) -> list[str]:
        """ "attention" or "mamba" for each layer."""
        attending = self.attn_layer_indices or ()
        return ["attention" if i in attending else "mamba" for i in range(self.num_hidden_layers)]
