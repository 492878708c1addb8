"""Configuration of TimesFM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from zoo_core.config import PretrainedConfig, field


class TimesFmConfig(PretrainedConfig):
    """Sizes and switches of a TimesFM; the defaults are those of TimesFM 2.0 500M.

    `pad_val` stands in series for values that lack; `freq_size` counts the kinds of frequency.
    """

    model_type = "timesfm"
    heads_divide_width: ClassVar[bool] = False

    patch_length: int = 32
    context_length: int = 512
    horizon_length: int = 128
    freq_size: int = 3
    num_hidden_layers: int = 50
    hidden_size: int = 1280
    intermediate_size: int = 1280
    head_dim: int = 80
    num_attention_heads: int = 16
    tolerance: float = 1e-6
    rms_norm_eps: float = 1e-6
    quantiles: list[float] = field([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
    pad_val: float = 1123581321.0
    attention_dropout: float = 0.0
    use_positional_embedding: bool = False
    initializer_range: float = 0.02
    min_timescale: int = 1
    max_timescale: int = 10_000

    def check(self) -> Iterator[tuple[str, str]]:
        if self.context_length % self.patch_length:
            yield "context_length", f"must be a multiple of patch_length, {self.patch_length}"
        if self.horizon_length < self.patch_length:
            yield "horizon_length", f"must be at least patch_length, {self.patch_length}"
