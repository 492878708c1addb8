"""Configuration of SEW."""

from __future__ import annotations

from zoo_audio.wav2vec2.config import SpeechEncoderConfig
from zoo_core.config import field


class SEWConfig(SpeechEncoderConfig):
    """Sizes and switches of a SEW; the defaults are those of sew-tiny-100k, but for the width."""

    model_type = "sew"

    squeeze_factor: int = 2
    conv_dim: list[int] = field([64, 128, 128, 128, 128, 256, 256, 256, 256, 512, 512, 512, 512])
    conv_stride: list[int] = field([5, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1])
    conv_kernel: list[int] = field([10, 3, 1, 3, 1, 3, 1, 3, 1, 2, 1, 2, 1])
    ctc_loss_reduction: str = "mean"
