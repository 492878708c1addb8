"""Configuration of DAC."""

from __future__ import annotations

import math

from zoo_core.config import PretrainedConfig, field


class DacConfig(PretrainedConfig):
    """Sizes and switches of a DAC; the defaults are those of dac_16khz, but for the codebooks."""

    model_type = "dac"

    encoder_hidden_size: int = 64
    downsampling_ratios: list[int] = field([2, 4, 8, 8])
    decoder_hidden_size: int = 1536
    n_codebooks: int = 9
    codebook_size: int = 1024
    codebook_dim: int = 8
    quantizer_dropout: float = 0
    commitment_loss_weight: float = 0.25
    codebook_loss_weight: float = 1.0
    sampling_rate: int = 16000
    upsampling_ratios: list[int] | None = None
    hidden_size: int | None = None
    hop_length: int | None = None

    def __post_init__(self) -> None:
        if self.upsampling_ratios is None:
            self.upsampling_ratios = self.downsampling_ratios[::-1]
        if self.hidden_size is None:
            self.hidden_size = self.encoder_hidden_size * 2 ** len(self.downsampling_ratios)
        if self.hop_length is None:
            self.hop_length = math.prod(self.downsampling_ratios)

    @property
    def frame_rate(self) -> int:
        """Frames of a second."""
        return math.ceil(self.sampling_rate / math.prod(self.downsampling_ratios))
