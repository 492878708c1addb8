"""Configuration of PatchTSMixer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from zoo_core.config import PretrainedConfig, field


class PatchTSMixerConfig(PretrainedConfig):
    """Sizes and switches of a PatchTSMixer.

    `mode` "mix_channel" mixes channels too; `loss` is "mse" or, for distributions, "nll".
    """

    model_type = "patchtsmixer"
    attribute_map: ClassVar[dict[str, str]] = {"hidden_size": "d_model", "num_hidden_layers": "num_layers"}

    context_length: int = 32
    patch_length: int = 8
    num_input_channels: int = 1
    patch_stride: int = 8
    num_parallel_samples: int = 100
    d_model: int = 8
    expansion_factor: int = 2
    num_layers: int = 3
    dropout: float = 0.2
    mode: str = "common_channel"
    gated_attn: bool = True
    norm_mlp: str = "LayerNorm"
    self_attn: bool = False
    self_attn_heads: int = 1
    use_positional_encoding: bool = False
    positional_encoding_type: str = "sincos"
    scaling: str | bool | None = "std"
    loss: str | None = "mse"
    init_std: float = 0.02
    post_init: bool = False
    norm_eps: float = 1e-5
    mask_type: str = "random"
    random_mask_ratio: float = 0.5
    num_forecast_mask_patches: list[int] | int | None = field([2])
    mask_value: float = 0
    masked_loss: bool = True
    channel_consistent_masking: bool = True
    unmasked_channel_indices: list[int] | None = None
    head_dropout: float = 0.2
    distribution_output: str = "student_t"
    prediction_length: int = 16
    prediction_channel_indices: list[int] | None = None
    num_targets: int = 3
    output_range: list[float] | None = None
    head_aggregation: str | None = "max_pool"
    num_patches: int | None = None
    patch_last: bool = True

    def __post_init__(self) -> None:
        longest = max(self.context_length, self.patch_length)
        self.num_patches = (longest - self.patch_length) // self.patch_stride + 1

    def check(self) -> Iterator[tuple[str, str]]:
        if self.context_length < self.patch_length:
            yield "context_length", f"must be at least patch_length, {self.patch_length}"
        if self.loss not in ("mse", "nll"):
            yield "loss", "must be 'mse' or 'nll'"
        if self.mode not in ("common_channel", "mix_channel"):
            yield "mode", "must be 'common_channel' or 'mix_channel'"
        if self.head_aggregation not in (None, "use_last", "max_pool", "avg_pool"):
            yield "head_aggregation", "must be 'use_last', 'max_pool', 'avg_pool' or None"
