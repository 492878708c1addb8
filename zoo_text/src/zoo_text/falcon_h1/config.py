"""Configuration of Falcon-H1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig


class FalconH1Config(PretrainedConfig):
    """Sizes and switches of a Falcon-H1.

    The multipliers are those of its parametrisation: `mlp_multipliers` of the gate and of the output,
    `ssm_multipliers` of the state space's gate, input, "B", "C" and steps; None is all ones.
    """

    model_type = "falcon_h1"

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
    max_position_embeddings: int = 8192
    attention_dropout: float = 0.0
    attention_bias: bool = False
    mlp_bias: bool = False
    mamba_d_ssm: int | None = 1024
    mamba_n_heads: int = 128
    mamba_d_head: int | str = "auto"
    mamba_n_groups: int = 1
    mamba_d_state: int = 256
    mamba_d_conv: int = 4
    mamba_expand: int = 2
    mamba_chunk_size: int = 256
    mamba_conv_bias: bool = True
    mamba_proj_bias: bool = False
    mamba_norm_before_gate: bool = True
    mamba_rms_norm: bool = False
    projectors_bias: bool = False
    rope_theta: float = 100000.0
    rope_scaling: dict[str, Any] | None = None
    lm_head_multiplier: float | None = 1.0
    embedding_multiplier: float | None = 1.0
    mlp_multipliers: list[float] | None = None
    key_multiplier: float | None = None
    attention_out_multiplier: float | None = None
    attention_in_multiplier: float | None = None
    ssm_multipliers: list[float] | None = None
    ssm_in_multiplier: float | None = None
    ssm_out_multiplier: float | None = None

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.mamba_d_head == "auto":
            self.mamba_d_head = self.inner_size // self.mamba_n_heads
        for name in vars(self):
            if name.endswith("_multiplier") and getattr(self, name) is None:
                setattr(self, name, 1.0)
        self.mlp_multipliers = [1.0, 1.0] if self.mlp_multipliers is None else self.mlp_multipliers
        self.ssm_multipliers = [1.0] * 5 if self.ssm_multipliers is None else self.ssm_multipliers

    @property
    def inner_size(self) -> int:
        """Width of the state space's input."""
        return self.mamba_expand * self.hidden_size if self.mamba_d_ssm is None else self.mamba_d_ssm

    @property
    def layers_block_type(self) -> list[str]:
        """Every layer has both a state space and attention."""
        return ["hybrid"] * self.num_hidden_layers

    def check(self) -> Iterator[tuple[str, str]]:
        if self.mamba_n_heads * int(self.mamba_d_head) != self.inner_size:
            yield "mamba_d_head", f"times mamba_n_heads must be the width of the input, {self.inner_size}"
        if len(self.mlp_multipliers or ()) != 2:
            yield "mlp_multipliers", "must be two numbers: of the gate and of the output"
        if len(self.ssm_multipliers or ()) != 5:
            yield "ssm_multipliers", "must be five numbers: of gate, input, B, C and steps"
