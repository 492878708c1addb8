"""Configuration of Falcon-H1."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.bamba.config import HybridConfig


class FalconH1Config(HybridConfig):
    """Sizes and switches of a Falcon-H1.

    The multipliers are those of its parametrisation: `mlp_multipliers` of the gate and of the output,
    `ssm_multipliers` of the state space's gate, input, "B", "C" and steps; None is all ones.
    """

    model_type = "falcon_h1"

    max_position_embeddings: int = 8192
    mamba_d_ssm: int | None = 1024
    mamba_norm_before_gate: bool = True
    mamba_rms_norm: bool = False
    projectors_bias: bool = False
    rope_theta: float = 100000.0
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
        super().__post_init__()
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
