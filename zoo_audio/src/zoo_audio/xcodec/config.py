"""Configuration of X-Codec."""

from __future__ import annotations

import math
from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config


class XcodecConfig(PretrainedConfig):
    """A codec of sound (DAC) and a model of speech (HuBERT); the defaults: xcodec-hubert-librispeech."""

    model_type = "xcodec"

    target_bandwidths: list[float] = field([0.5, 1, 1.5, 2, 4])
    sample_rate: int = 16000
    kernel_size: int = 3
    channel_ratios: list[float] = field([1, 1])
    strides: list[int] = field([1, 1])
    block_dilations: list[int] = field([1, 1])
    unit_kernel_size: int = 3
    codebook_size: int = 1024
    codebook_dim: int | None = None
    initializer_range: float = 0.02
    acoustic_model_config: PretrainedConfig = sub_config(
        "dac",
        encoder_hidden_size=64,
        downsampling_ratios=[8, 5, 4, 2],
        decoder_hidden_size=1024,
        upsampling_ratios=[8, 5, 4, 2],
        hidden_size=256,
    )
    semantic_model_config: PretrainedConfig = sub_config("hubert")

    def __post_init__(self) -> None:
        if self.codebook_dim is None:
            self.codebook_dim = self.hidden_size

    def check(self) -> Iterator[tuple[str, str]]:
        if len(self.strides) != len(self.channel_ratios):
            yield "strides", "must be as long as channel_ratios"

    @property
    def hidden_size(self) -> int:
        """Width of what is quantised: sound and meaning side by side."""
        return self.acoustic_model_config.hidden_size + self.semantic_model_config.hidden_size

    @property
    def hop_length(self) -> int:
        """Samples of a frame."""
        return math.prod(self.acoustic_model_config.downsampling_ratios)

    @property
    def frame_rate(self) -> int:
        """Frames of a second."""
        return math.ceil(self.sample_rate / self.hop_length)

    @property
    def num_quantizers(self) -> int:
        """Codebooks that the highest bandwidth needs."""
        return int(
            1000 * self.target_bandwidths[-1] // (self.frame_rate * math.ceil(math.log2(self.codebook_size)))
        )
