"""Configuration of PatchTST."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from zoo_core.config import PretrainedConfig, field


class PatchTSTConfig(PretrainedConfig):
    """Sizes and switches of a PatchTST.

    `loss` is "mse" for forecasts of values or "nll" for those of distributions (`distribution_output`).
    """

    model_type = "patchtst"
    attribute_map: ClassVar[dict[str, str]] = {"hidden_size": "d_model"}

    num_input_channels: int = 1
    context_length: int = 32
    distribution_output: str = "student_t"
    loss: str | None = "mse"
    patch_length: int = 1
    patch_stride: int = 1
    num_hidden_layers: int = 3
    d_model: int = 128
    num_attention_heads: int = 4
    share_embedding: bool = True
    channel_attention: bool = False
    ffn_dim: int = 512
    norm_type: str = "batchnorm"
    norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    positional_dropout: float = 0.0
    path_dropout: float = 0.0
    ff_dropout: float = 0.0
    bias: bool = True
    activation_function: str = "gelu"
    pre_norm: bool = True
    positional_encoding_type: str = "sincos"
    use_cls_token: bool = False
    init_std: float = 0.02
    share_projection: bool = True
    scaling: str | bool | None = "std"
    do_mask_input: bool | None = None
    mask_type: str = "random"
    random_mask_ratio: float = 0.5
    num_forecast_mask_patches: list[int] | int | None = field([2])
    channel_consistent_masking: bool | None = False
    unmasked_channel_indices: list[int] | None = None
    mask_value: float = 0
    pooling_type: str | None = "mean"
    head_dropout: float = 0.0
    prediction_length: int = 24
    num_targets: int = 1
    output_range: list[float] | None = None
    num_parallel_samples: int = 100

    def check(self) -> Iterator[tuple[str, str]]:
        if self.context_length < self.patch_length:
            yield "context_length", f"must be at least patch_length, {self.patch_length}"
        if self.loss not in ("mse", "nll"):
            yield "loss", "must be 'mse' or 'nll'"
