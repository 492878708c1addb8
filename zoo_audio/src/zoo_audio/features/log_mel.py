"""Feature extractors of log-mel spectrograms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor

from zoo_audio.features.base import AudioFeatureExtractor, Padding, normalize_waves
from zoo_audio.features.kaldi import each
from zoo_audio.features.mel import MelBank
from zoo_audio.features.spectrum import Spectrum, decibels
from zoo_core.errors import ProcessingError


class WhisperFeatureExtractor(AudioFeatureExtractor):
    """Log-mel spectrograms of 30 seconds (https://arxiv.org/abs/2212.04356, section 2.2)."""

    model_input_names = ["input_features"]
    call_defaults: ClassVar[dict[str, Any]] = {"padding": "max_length", "truncation": True}
    own_options = frozenset({"do_normalize", "return_token_timestamps"})

    feature_size: int = 80
    return_attention_mask: bool = False
    hop_length: int = 160
    chunk_length: int = 30
    n_fft: int = 400
    dither: float = 0.0
    n_samples: int | None = None
    nb_max_frames: int | None = None

    def derive(self) -> None:
        self.n_samples = self.n_samples or self.chunk_length * self.sampling_rate
        self.nb_max_frames = self.nb_max_frames or self.n_samples // self.hop_length

    def extract(
        self,
        waves: list[Tensor],
        padding: Padding,
        *,
        do_normalize: bool | None = None,
        return_token_timestamps: bool | None = None,
        **own: Any,
    ) -> dict[str, Any]:
        """See the class; `num_frames` (items,) with return_token_timestamps: frames before padding."""
        lengths = [len(wave) for wave in waves]
        values, masks = self.fit(waves, replace(padding, max_length=padding.max_length or self.n_samples))
        if do_normalize:
            values = normalize_waves(values, masks, masked=True, padding_value=self.padding_value)
        rows = values if isinstance(values, Tensor) else [row[None] for row in values]
        features: Any = (
            self.log_mel(rows) if isinstance(rows, Tensor) else [self.log_mel(row)[0] for row in rows]
        )
        found: dict[str, Any] = {"input_features": features}
        if self.wants_mask(padding):
            # One position for each frame; a spectrum of a part of a hop at the end is left out.
            step = self.hop_length
            found["attention_mask"] = (
                masks[:, ::step][:, : features.shape[-1]]
                if isinstance(masks, Tensor)
                else [mask[::step] for mask in masks]
            )
        if return_token_timestamps:
            found["num_frames"] = [length // self.hop_length for length in lengths]
        return found

    def log_mel(self, waves: Tensor) -> Tensor:
        """(batch, samples) to (batch, mels, samples / hop): log10, 80 dB of range, about -1 to 1."""
        if self.dither:
            waves = waves + self.dither * torch.randn_like(waves)
        spectrum = Spectrum(frame=self.n_fft, hop=self.hop_length, fft=self.n_fft, double=False)
        bank = MelBank(
            bins=spectrum.bins,
            mels=self.feature_size,
            rate=self.sampling_rate,
            high=8000.0,
            slaney_norm=True,
        )
        frames = waves.shape[1] // self.hop_length
        found = waves.new_empty(len(waves), self.feature_size, frames)
        for wave, out in zip(waves, found, strict=True):  # one by one, which fits the caches
            mels = spectrum(wave[None], bank, most=frames)[0].clamp_(min=1e-10).log10_()
            out.copy_(mels.clamp_(min=float(mels.max()) - 8.0).add_(4.0).div_(4.0).T)
        return found


class ClvpFeatureExtractor(AudioFeatureExtractor):
    """Natural-log-mel spectrograms of CLVP, over the deviations of each band where given."""

    model_input_names = ["input_features", "attention_mask"]
    call_defaults: ClassVar[dict[str, Any]] = {
        "padding": "max_length",
        "truncation": True,
        "return_attention_mask": True,
    }

    feature_size: int = 80
    sampling_rate: int = 22050
    return_attention_mask: bool = False
    default_audio_length: int = 6
    hop_length: int = 256
    chunk_length: int = 30
    n_fft: int = 1024
    mel_norms: list[float] | None = None
    n_samples: int | None = None
    nb_max_frames: int | None = None

    def derive(self) -> None:
        self.n_samples = self.n_samples or self.chunk_length * self.sampling_rate
        self.nb_max_frames = self.nb_max_frames or self.n_samples // self.hop_length

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        length = padding.max_length or self.default_audio_length * self.sampling_rate
        values, masks = self.fit(waves, replace(padding, max_length=length))
        spectrum = Spectrum(frame=self.n_fft, hop=self.hop_length, fft=self.n_fft)
        bank = MelBank(
            bins=spectrum.bins,
            mels=self.feature_size,
            rate=self.sampling_rate,
            high=8000.0,
            scale="htk",
            slaney_norm=True,
        )

        def features(wave: Tensor) -> Tensor:
            mels = spectrum(wave[None], bank)[0].T.clamp(min=1e-5).log()
            if self.mel_norms is not None:
                mels = mels / mels.new_tensor(self.mel_norms)[:, None]
            return mels.float()

        found = each(list(values), features)
        return {
            "input_features": torch.stack(found) if isinstance(values, Tensor) else found,
            "attention_mask": masks if self.wants_mask(padding) else None,
        }


class TvltFeatureExtractor(AudioFeatureExtractor):
    """Spectrograms in decibels, as pictures of 16x16 patches (https://arxiv.org/abs/2209.14156)."""

    model_input_names = ["audio_values", "audio_mask"]
    own_options = frozenset({"mask_audio"})

    feature_size: int = 128
    sampling_rate: int = 44100
    spectrogram_length: int = 2048
    num_channels: int = 1
    patch_size: list[int] = [16, 16]
    freq_len: int | None = None
    hop_length: int | None = None
    n_fft: int = 2048

    def __init__(self, **values: Any) -> None:
        share = values.pop("hop_length_to_sampling_rate", 86)
        super().__init__(**values)
        self.hop_length = self.hop_length or self.sampling_rate // share

    def derive(self) -> None:
        self.freq_len = self.freq_len or self.feature_size // self.patch_size[1]

    def extract(
        self, waves: list[Tensor], padding: Padding, *, mask_audio: bool = False, **own: Any
    ) -> dict[str, Any]:
        assert self.hop_length and self.freq_len
        spectrum = Spectrum(frame=self.n_fft, hop=self.hop_length, fft=self.n_fft)
        bank = MelBank(
            bins=spectrum.bins,
            mels=self.feature_size,
            rate=self.sampling_rate,
            high=22050.0,
            slaney_norm=True,
        )

        def features(wave: Tensor) -> Tensor:
            found = decibels(spectrum(wave[None], bank)[0].float(), top=80.0)[:-1] - 20.0
            return ((found / 40.0).clamp(-2.0, 0.0) + 1.0)[: self.spectrogram_length]

        mels = each(waves, features)
        rows = self.patch_size[0]
        patches = [-(-len(mel) // rows) * self.freq_len for mel in mels]
        steps = max(patches) // self.freq_len
        audio = mels[0].new_zeros(len(mels), 1, steps * rows, self.feature_size)
        for picture, mel in zip(audio, mels, strict=True):
            picture[0, : len(mel)] = mel
        kept = torch.arange(max(patches)) < torch.tensor(patches)[:, None]
        wanted = self.wants_mask(padding)
        return {"audio_values": audio, "audio_mask": kept.float() if wanted else None}


def repeat_to(wave: Tensor, length: int, *, fill: bool) -> Tensor:
    """`wave` again and again: whole repetitions only, or with `fill` cut to exactly `length`."""
    times = length // len(wave) + (1 if fill else 0)
    return wave.repeat(max(times, 1))[:length]


class ClapFeatureExtractor(AudioFeatureExtractor):
    """Log-mel spectrograms in decibels; a long sound as four views, or as a random part of it."""

    model_input_names = ["input_features", "is_longer"]
    own_options = frozenset()

    feature_size: int = 64
    sampling_rate: int = 48000
    return_attention_mask: bool = False
    hop_length: int = 480
    max_length_s: float = 10
    fft_window_size: int = 1024
    frequency_min: float = 0
    frequency_max: float = 14000
    top_db: float | None = None
    truncation: str = "fusion"
    padding: str = "repeatpad"
    nb_max_samples: int | None = None
    nb_frequency_bins: int | None = None

    def derive(self) -> None:
        self.nb_max_samples = self.nb_max_samples or int(self.max_length_s * self.sampling_rate)
        self.nb_frequency_bins = self.nb_frequency_bins or (self.fft_window_size >> 1) + 1

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        truncation = padding.truncation or self.truncation
        how = self.padding if padding.padding in (False, None) else padding.padding
        length = padding.max_length or self.nb_max_samples
        assert length is not None
        if truncation not in ("fusion", "rand_trunc"):
            raise ProcessingError(f"truncation={truncation!r} is not known; use 'fusion' or 'rand_trunc'")
        found = [self.one(wave, length, truncation, how) for wave in waves]
        longer = [flag for _, flag in found]
        if truncation == "fusion" and not any(longer):
            # The model's fusion needs one long sound in a batch.
            longer[int(torch.randint(len(longer), ()))] = True
        features = torch.stack([mels for mels, _ in found]).float()
        return {"input_features": features, "is_longer": torch.tensor(longer)[:, None]}

    def mels(self, wave: Tensor, *, htk: bool) -> Tensor:
        """(samples,) to (frames, mels) in decibels."""
        spectrum = Spectrum(frame=self.fft_window_size, hop=self.hop_length, fft=self.fft_window_size)
        bank = MelBank(
            bins=spectrum.bins,
            mels=self.feature_size,
            rate=self.sampling_rate,
            low=self.frequency_min,
            high=self.frequency_max,
            scale="htk" if htk else "slaney",
            slaney_norm=not htk,
        )
        return decibels(spectrum(wave[None], bank)[0])

    def one(self, wave: Tensor, length: int, truncation: str, padding: Any) -> tuple[Tensor, bool]:
        """(views, frames, mels) of a sound, and whether it is longer than `length` samples."""
        fused = truncation == "fusion"
        if len(wave) > length:
            if not fused:
                start = int(torch.randint(len(wave) - length + 1, ()))
                return self.mels(wave[start : start + length], htk=False)[None], True
            mels = self.mels(wave, htk=True)
            frames = length // self.hop_length + 1
            if frames == len(mels):
                return mels.expand(4, -1, -1), False
            return self.fusion(mels, frames), True
        if padding == "repeat":
            wave = repeat_to(wave, length, fill=True)
        elif padding == "repeatpad":
            wave = repeat_to(wave, length, fill=False)
        wave = torch.nn.functional.pad(wave, (0, length - len(wave)))
        mels = self.mels(wave, htk=fused)
        return (mels.expand(4, -1, -1) if fused else mels[None]), False

    @staticmethod
    def fusion(mels: Tensor, frames: int) -> Tensor:
        """The whole, shrunk, and a random part of each third (https://arxiv.org/abs/2211.06687, 3.2)."""
        starts = torch.arange(len(mels) - frames + 1).tensor_split(3)
        places = [int(part[torch.randint(len(part), ())]) if len(part) else 0 for part in starts]
        shrunk = torch.nn.functional.interpolate(
            mels[None, None], size=(frames, mels.shape[1]), mode="bilinear", align_corners=False
        )[0, 0]
        return torch.stack([shrunk, *(mels[place : place + frames] for place in places)])
