"""The HiFi-GAN of SpeechT5: log-mel spectrograms to waveforms."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_audio.blocks.hifigan import HifiGan
from zoo_audio.speecht5.config import SpeechT5HifiGanConfig
from zoo_core.modeling.model import PreTrainedModel


class SpeechT5HifiGan(PreTrainedModel):
    """The vocoder; `mean` and `scale` of its training spectrograms come with the weights."""

    config_class = SpeechT5HifiGanConfig
    main_input_name = "spectrogram"
    hub_names = {"generator": ""}

    mean: Tensor
    scale: Tensor

    def __init__(self, config: SpeechT5HifiGanConfig) -> None:
        super().__init__(config)
        self.generator = HifiGan(config.model_in_dim, config)
        self.register_buffer("mean", torch.zeros(config.model_in_dim))
        self.register_buffer("scale", torch.ones(config.model_in_dim))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("a vocoder takes spectrograms, not tokens")

    def forward(self, spectrogram: Tensor) -> Tensor:
        """(frames, mels) to (samples,), or a batch (batch, frames, mels) to (batch, samples)."""
        mels = self.config.model_in_dim
        if spectrogram.dim() not in (2, 3) or spectrogram.shape[-1] != mels:
            raise ValueError(
                f"spectrogram is {tuple(spectrogram.shape)}; expected ([batch,] frames, {mels} mels)"
            )
        if self.config.normalize_before:
            spectrogram = (spectrogram - self.mean) / self.scale
        batch = spectrogram if spectrogram.dim() == 3 else spectrogram[None]
        waves = self.generator(batch.transpose(1, 2))[:, 0]
        return waves if spectrogram.dim() == 3 else waves[0]
