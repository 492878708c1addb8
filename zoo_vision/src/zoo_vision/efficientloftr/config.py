"""Configuration of EfficientLoFTR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field


class EfficientLoFTRConfig(PretrainedConfig):
    """Sizes of an EfficientLoFTR: stages of a RepVGG, and attention between aggregated cells."""

    model_type = "efficientloftr"

    stage_num_blocks: list[int] = field([1, 2, 4, 14])
    out_features: list[int] = field([64, 64, 128, 256])
    stage_stride: list[int] = field([2, 1, 2, 2])
    hidden_size: int = 256
    activation_function: str = "relu"
    q_aggregation_kernel_size: int = 4
    kv_aggregation_kernel_size: int = 4
    q_aggregation_stride: int = 4
    kv_aggregation_stride: int = 4
    num_attention_layers: int = 4
    num_attention_heads: int = 8
    attention_dropout: float = 0.0
    attention_bias: bool = False
    mlp_activation_function: str = "leaky_relu"
    coarse_matching_skip_softmax: bool = False
    coarse_matching_threshold: float = 0.2
    coarse_matching_temperature: float = 0.1
    coarse_matching_border_removal: int = 2
    fine_kernel_size: int = 8
    batch_norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    partial_rotary_factor: float = 4.0
    rope_scaling: dict[str, Any] | None = None
    fine_matching_slice_dim: int = 8
    fine_matching_regress_temperature: float = 10.0
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        self.intermediate_size, self.num_key_value_heads = 2 * self.hidden_size, self.num_attention_heads

    def check(self) -> Iterator[tuple[str, str]]:
        stages = len(self.stage_num_blocks)
        for name in ("out_features", "stage_stride"):
            if len(getattr(self, name)) != stages:
                yield name, f"must name each of the {stages} stages of stage_num_blocks"
        if self.out_features[1 % stages] < 2 * self.fine_matching_slice_dim:
            yield (
                "fine_matching_slice_dim",
                f"must be at most half of the finest {self.out_features[1 % stages]} features",
            )
        if self.out_features[-1] != self.hidden_size:
            yield "hidden_size", f"must be the last of the out_features {self.out_features}"
        if self.hidden_size % self.num_attention_heads:
            yield "num_attention_heads", f"must divide the hidden_size {self.hidden_size}"
        elif self.rotary_dim * 2 != self.hidden_size:
            yield "partial_rotary_factor", "must turn all of hidden_size: half of it for each axis"

    @property
    def rotary_dim(self) -> int:
        """Features that turn with one axis."""
        return int(self.hidden_size // self.num_attention_heads * self.partial_rotary_factor)
