"""The feature extractor of a vocoder: the spectrogram that it makes sound of, and noise to start from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_audio.features.base import AudioFeatureExtractor, Padding
from zoo_audio.features.kaldi import each
from zoo_audio.features.mel import MelBank
from zoo_audio.features.spectrum import Spectrum


class UnivNetFeatureExtractor(AudioFeatureExtractor):
    """Log-mel spectrograms (frames, mels) of UnivNet (https://arxiv.org/abs/2106.07889)."""

    model_input_names = ["input_features", "noise_sequence", "padding_mask"]
    call_defaults: ClassVar[dict[str, Any]] = {"padding": True, "truncation": True}
    own_options = frozenset({"return_noise", "generator", "pad_end", "pad_length", "do_normalize"})
    computed = frozenset({"num_max_samples"})

    sampling_rate: int = 24000
    do_normalize: bool = False
    num_mel_bins: int = 100
    hop_length: int = 256
    win_length: int = 1024
    win_function: str = "hann_window"
    filter_length: int | None = 1024
    max_length_s: int = 10
    fmin: float = 0.0
    fmax: float | None = None
    mel_floor: float = 1e-9
    center: bool = False
    compression_factor: float = 1.0
    compression_clip_val: float = 1e-5
    normalize_min: float = -11.512925148010254
    normalize_max: float = 2.3143386840820312
    model_in_channels: int = 64
    pad_end_length: int = 10

    def derive(self) -> None:
        self.fmax = self.sampling_rate / 2 if self.fmax is None else self.fmax
        self.num_max_samples = self.max_length_s * self.sampling_rate

    def extract(
        self,
        waves: list[Tensor],
        padding: Padding,
        *,
        return_noise: bool = True,
        generator: np.random.Generator | None = None,
        pad_end: bool = False,
        pad_length: int | None = None,
        do_normalize: bool | None = None,
    ) -> dict[str, Any]:
        """See the class.

        Args:
            return_noise: also draw `noise_sequence` (items, frames, model_in_channels), by `generator`.
            pad_end: first add silence of `pad_length` frames, by default `pad_end_length`: what is made of
                the last frames may not be clean.
            do_normalize: spectrograms from -1 to 1.
        """
        if pad_end:
            frames = self.pad_end_length if pad_length is None else pad_length
            waves = [F.pad(wave, (0, frames * self.hop_length)) for wave in waves]
        padding = replace(padding, max_length=padding.max_length or self.num_max_samples)
        values, masks = self.fit(waves, padding)
        mels = each(list(values), self.mel_spectrogram)
        if self.do_normalize if do_normalize is None else do_normalize:
            mels = [self.normalize(one) for one in mels]
        found: dict[str, Any] = {"input_features": mels}
        if self.wants_mask(padding):
            found["padding_mask"] = masks
        if return_noise:
            found["noise_sequence"] = [
                torch.from_numpy(self.generate_noise(len(one), generator)) for one in mels
            ]
        return found

    def mel_spectrogram(self, waveform: Tensor) -> Tensor:
        """(samples,) to (frames, mels)."""
        size = self.filter_length or self.win_length
        margin = (size - self.hop_length) // 2
        wave = F.pad(waveform[None], (margin, margin), "reflect")
        spectrum = Spectrum(
            frame=self.win_length,
            hop=self.hop_length,
            fft=size,
            window=self.win_function,
            center=self.center,
        )
        bank = MelBank(
            bins=spectrum.bins,
            mels=self.num_mel_bins,
            rate=self.sampling_rate,
            low=self.fmin,
            high=self.fmax,
            slaney_norm=True,
        )
        magnitudes = (spectrum(wave)[0] + self.mel_floor).sqrt()
        mels = magnitudes @ bank.weights().to(magnitudes)
        return (mels * self.compression_factor).clamp(min=self.compression_clip_val).log().float()

    def normalize(self, spectrogram: Tensor) -> Tensor:
        """From the usual range to -1 to 1."""
        return 2 * (spectrogram - self.normalize_min) / (self.normalize_max - self.normalize_min) - 1

    def denormalize(self, spectrogram: Tensor) -> Tensor:
        """The inverse of `normalize`."""
        return self.normalize_min + (self.normalize_max - self.normalize_min) * (spectrogram + 1) / 2

    def generate_noise(self, noise_length: int, generator: np.random.Generator | None = None) -> np.ndarray:
        """(noise_length, model_in_channels) float32, normally distributed."""
        generator = np.random.default_rng() if generator is None else generator
        return generator.standard_normal((noise_length, self.model_in_channels), dtype=np.float32)

    def batch_decode(self, waveforms: Tensor, waveform_lengths: Tensor | None = None) -> list[np.ndarray]:
        """Waveforms (batch, samples) of the model as arrays, each as long as `waveform_lengths` says."""
        rows = list(waveforms.detach().cpu().numpy())
        if waveform_lengths is None:
            return rows
        return [row[:length] for row, length in zip(rows, waveform_lengths.tolist(), strict=True)]
