"""Log-mel frames of recent speech models, each with conventions of its own."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from zoo_audio.features.base import AudioFeatureExtractor, Padding
from zoo_audio.features.kaldi import each
from zoo_audio.features.mel import MelBank
from zoo_audio.features.spectrum import Spectrum


class ParakeetFeatureExtractor(AudioFeatureExtractor):
    """Log-mel frames, each band normalised over the utterance (NeMo)."""

    model_input_names = ["input_features", "attention_mask"]
    call_defaults: ClassVar[dict[str, Any]] = {"padding": "longest"}

    feature_size: int = 80
    hop_length: int = 160
    n_fft: int = 512
    win_length: int = 400
    preemphasis: float | None = 0.97

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        values, _ = self.fit(waves, padding)
        items = list(values)
        lengths = [min(len(wave), len(item)) for wave, item in zip(waves, items, strict=True)]
        spectrum = Spectrum(
            frame=self.win_length,
            hop=self.hop_length,
            fft=self.n_fft,
            periodic=False,
            pad_mode="constant",
            double=False,
        )
        bank = MelBank(bins=spectrum.bins, mels=self.feature_size, rate=self.sampling_rate, slaney_norm=True)
        features, masks = [], []
        for item, length in zip(items, lengths, strict=True):
            if self.preemphasis is not None:
                item = torch.cat((item[:1], item[1:] - self.preemphasis * item[:-1]))
                item[length:] = 0.0
            frames = (spectrum(item[None], bank)[0] + 2**-24).log()
            mask = torch.arange(len(frames), device=frames.device) < length // self.hop_length
            real = frames[mask]
            moved = (frames - real.mean(0)) / (real.std(0) + 1e-5)
            features.append(moved * mask[:, None])
            masks.append(mask)
        whole = isinstance(values, Tensor)
        return {
            "input_features": torch.stack(features) if whole else features,
            "attention_mask": (torch.stack(masks) if whole else masks) if self.wants_mask(padding) else None,
        }


class Phi4MultimodalFeatureExtractor(AudioFeatureExtractor):
    """Log-mel frames of 16-bit samples, and how many embeddings the model makes of them."""

    model_input_names = ["audio_input_features", "audio_embed_sizes", "audio_attention_mask"]
    call_defaults: ClassVar[dict[str, Any]] = {"padding": "longest"}

    feature_size: int = 80
    hop_length: int = 160
    n_fft: int = 512
    win_length: int = 400
    preemphasis: float = 0.97
    audio_compression_rate: int = 8
    audio_downsample_rate: int = 1
    audio_feat_stride: int = 1

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        values, _ = self.fit(waves, padding)
        spectrum = Spectrum(
            frame=self.win_length,
            hop=self.hop_length,
            fft=self.n_fft,
            window="hamming",
            periodic=False,
            center=False,
            preemphasis=self.preemphasis,
        )
        bank = MelBank(
            bins=spectrum.bins,
            mels=self.feature_size,
            rate=self.sampling_rate,
            high=getattr(self, "mel_max_frequency", 7690),
            low=getattr(self, "mel_min_frequency", 0),
            scale="kaldi",
            in_mel=True,
        )
        features = each(
            list(values), lambda wave: spectrum(wave[None] * 32768.0, bank)[0].clamp(min=1.0).log().float()
        )
        for frames, wave in zip(features, waves, strict=True):
            # Frames that hold both sound and padding are silent, but the last.
            frames[spectrum.frames(len(wave)) : len(wave) // self.hop_length - 1] = 0.0
        lengths = torch.tensor([spectrum.frames(len(wave)) for wave in waves])
        lengths = lengths * self.audio_feat_stride
        found: dict[str, Any] = {
            "audio_input_features": torch.stack(features) if isinstance(values, Tensor) else features,
            "audio_embed_sizes": self.embed_sizes(lengths),
        }
        asked = padding.return_attention_mask
        if len(waves) > 1 and (asked is None or asked):
            longest = max(len(frames) for frames in features)
            found["audio_attention_mask"] = torch.arange(longest) < lengths[:, None]
        return found

    def embed_sizes(self, frames: Tensor) -> Tensor:
        """Embeddings of so many frames, after compression and downsampling, both rounded up."""
        compressed = -(-frames // self.audio_compression_rate)
        return -(-compressed // self.audio_downsample_rate)


class Gemma3nAudioFeatureExtractor(AudioFeatureExtractor):
    """Log-mel frames of the Universal Speech Model, as Gemma 3n takes them."""

    model_input_names = ["input_features", "input_features_mask"]
    call_defaults: ClassVar[dict[str, Any]] = {
        "padding": "longest",
        "max_length": 480_000,
        "truncation": True,
        "pad_to_multiple_of": 128,
    }

    feature_size: int = 128
    min_frequency: float = 125.0
    max_frequency: float = 7600.0
    preemphasis: float = 0.97
    preemphasis_htk_flavor: bool = True
    fft_overdrive: bool = True
    dither: float = 0.0
    input_scale_factor: float = 1.0
    mel_floor: float = 1e-5
    per_bin_mean: list[float] | None = None
    per_bin_stddev: list[float] | None = None
    frame_length: int = 512
    hop_length: int = 160
    fft_length: int | None = None

    def __init__(self, **values: Any) -> None:
        for name, milliseconds in (("frame_length", "frame_length_ms"), ("hop_length", "hop_length_ms")):
            if milliseconds in values:
                rate = values.get("sampling_rate", 16000)
                values[name] = round(rate * values.pop(milliseconds) / 1000.0)
        super().__init__(**values)

    def derive(self) -> None:
        if self.fft_length is None:
            self.fft_length = 1 << (self.frame_length - 1).bit_length() + int(self.fft_overdrive)

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        values, masks = self.fit(waves, padding)
        features = each(list(values), self.frames)
        kept = [
            mask[:: self.hop_length][: len(frames)].bool()
            for mask, frames in zip(masks, features, strict=True)
        ]
        return {
            "input_features": torch.stack(features) if isinstance(values, Tensor) else features,
            "input_features_mask": torch.stack(kept) if isinstance(values, Tensor) else kept,
        }

    def frames(self, wave: Tensor) -> Tensor:
        """(samples,) to (frames, mels)."""
        assert self.fft_length is not None
        wave = wave.double() * self.input_scale_factor
        if self.dither:
            wave = wave + self.dither * torch.randn_like(wave)
        size = self.frame_length
        framed = wave.unfold(0, size + 1, self.hop_length)
        if self.preemphasis > 0.0:
            if self.preemphasis_htk_flavor:
                first = framed[:, :1] * (1.0 - self.preemphasis)
                framed = torch.cat((first, framed[:, 1:-1] - self.preemphasis * framed[:, :-2]), dim=1)
            else:
                framed = framed[:, 1:] - self.preemphasis * framed[:, :-1]
        else:
            framed = framed[:, :-1]
        half = 0.5 - 0.5 * torch.cos(2 * np.pi * (torch.arange(size, dtype=torch.float64)) / size)
        magnitude = torch.fft.rfft(framed * half.to(framed), n=self.fft_length).abs()
        bank = MelBank(
            bins=self.fft_length // 2 + 1,
            mels=self.feature_size,
            rate=self.sampling_rate,
            low=self.min_frequency,
            high=self.max_frequency,
            scale="htk",
        )
        found = (magnitude @ bank.weights().to(magnitude)).clamp(min=self.mel_floor).log()
        if self.per_bin_mean is not None:
            found = found - found.new_tensor(self.per_bin_mean)
        if self.per_bin_stddev is not None:
            found = found / found.new_tensor(self.per_bin_stddev)
        return found.float()
