"""The rules of HiFi-GAN's sizes, apart from the model: configs do without torch."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


def hifigan_faults(config: PretrainedConfig) -> Iterator[tuple[str, str]]:
    """What breaks the rules of HiFi-GAN's sizes."""
    if len(config.upsample_rates) != len(config.upsample_kernel_sizes):
        yield "upsample_rates", "must be as long as upsample_kernel_sizes"
    if len(config.resblock_kernel_sizes) != len(config.resblock_dilation_sizes):
        yield "resblock_kernel_sizes", "must be as long as resblock_dilation_sizes"
