"""Kaldi's log-mel filterbanks (https://kaldi-asr.org/doc/feat.html) and the extractors made from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from zoo_audio.features.base import AudioFeatureExtractor, Padding, standardized
from zoo_audio.features.mel import MelBank
from zoo_audio.features.spectrum import Spectrum
from zoo_core.errors import ProcessingError

FLOOR = 1.192092955078125e-07  # float32's epsilon, as Kaldi has it
INT16 = 2.0**15


def filterbanks(
    waves: list[Tensor], *, rate: int, mels: int, window: str = "povey", scale: float = 1.0
) -> list[Tensor]:
    """Log-mel energies (frames, mels) float32 of frames of 25 ms every 10 ms, whole frames only.

    Args:
        scale: factor of the samples; `INT16` for models trained on 16-bit numbers.
    """
    spectrum = Spectrum(
        frame=rate // 40,
        hop=rate // 100,
        fft=1 << (rate // 40 - 1).bit_length(),
        window=window,
        periodic=False,
        center=False,
        preemphasis=0.97,
        remove_mean=True,
    )
    bank = MelBank(
        bins=spectrum.bins, mels=mels, rate=rate, low=20.0, high=rate / 2, scale="kaldi", in_mel=True
    )
    return each(waves, lambda wave: spectrum(wave[None] * scale, bank)[0].clamp(min=FLOOR).log().float())


def each(waves: list[Tensor], work: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """`work` on every waveform; its errors name the place in the batch."""
    found = []
    for index, wave in enumerate(waves):
        try:
            found.append(work(wave))
        except ProcessingError as error:
            raise ProcessingError(f"item {index} of {len(waves)}: {error}") from None
    return found


class ASTFeatureExtractor(AudioFeatureExtractor):
    """Filterbanks of a fixed number of frames, normalised by the mean and deviation of AudioSet."""

    return_attention_mask: bool = False
    num_mel_bins: int = 128
    max_length: int = 1024
    do_normalize: bool = True
    mean: float = -4.2677393
    std: float = 4.5689974

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        rate, length = self.sampling_rate, self.max_length
        banks = filterbanks(waves, rate=rate, mels=self.num_mel_bins, window="hann")
        values = self.filled([bank[:length] for bank in banks], length, 0.0)[0]
        return {"input_values": (values - self.mean) / (self.std * 2) if self.do_normalize else values}


class MomentsExtractor(AudioFeatureExtractor):
    """Frames of bands whose mean and deviation over an utterance are taken away."""

    model_input_names = ["input_features", "attention_mask"]

    feature_size: int = 80
    normalize_means: bool = True
    normalize_vars: bool = True

    def normalized(self, values: Any, masks: Any) -> Any:
        """Frames (frames, bands) of each item less their mean, over their deviation; padding set anew."""

        def one(frames: Tensor, mask: Tensor) -> Tensor:
            kept = mask.bool()
            real = frames[kept].double()
            found = real - real.mean(0) if self.normalize_means else real
            if self.normalize_vars:
                found = found / real.std(0, correction=0)
            out = torch.full_like(frames, self.padding_value)
            out[kept] = found.to(frames)
            return out

        found = [one(frames, mask) for frames, mask in zip(values, masks, strict=True)]
        return torch.stack(found) if isinstance(values, Tensor) else found


class Speech2TextFeatureExtractor(MomentsExtractor):
    """Filterbanks, normalised over each utterance."""

    num_mel_bins: int = 80
    dither: float = 0.0
    do_ceptral_normalize: bool = True

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        if self.dither:
            waves = [wave + self.dither / INT16 * torch.randn_like(wave) for wave in waves]
        banks = filterbanks(waves, rate=self.sampling_rate, mels=self.num_mel_bins, scale=INT16)
        values, masks = self.fit(banks, padding)
        if self.do_ceptral_normalize:
            values = self.normalized(values, masks)
        return {
            "input_features": values,
            "attention_mask": masks if self.wants_mask(padding) else None,
        }


class SeamlessM4TFeatureExtractor(AudioFeatureExtractor):
    """Filterbanks, each band normalised over the utterance, several frames joined to one."""

    model_input_names = ["input_features", "attention_mask"]
    call_defaults: ClassVar[dict[str, Any]] = {"padding": True, "pad_to_multiple_of": 2}
    own_options = frozenset({"do_normalize_per_mel_bins"})

    feature_size: int = 80
    num_mel_bins: int = 80
    stride: int = 2

    def extract(
        self,
        waves: list[Tensor],
        padding: Padding,
        *,
        do_normalize_per_mel_bins: bool = True,
        **own: Any,
    ) -> dict[str, Any]:
        banks = filterbanks(waves, rate=self.sampling_rate, mels=self.num_mel_bins, scale=INT16)
        if do_normalize_per_mel_bins:
            banks = each(banks, lambda bank: standardized(bank, correction=1))
        values, masks = self.fit(banks, padding)
        if not isinstance(values, Tensor):
            raise ProcessingError("the sounds differ in length; pass padding=True")
        whole = values.shape[1] // self.stride * self.stride
        joined = values[:, :whole].reshape(len(values), -1, self.stride * values.shape[2])
        mask = masks[:, :whole][:, 1 :: self.stride] if isinstance(masks, Tensor) else None
        return {
            "input_features": joined,
            "attention_mask": mask if self.wants_mask(padding) else None,
        }


class MCTCTFeatureExtractor(MomentsExtractor):
    """Log-mel frames of M-CTC-T, normalised over each utterance; times in milliseconds."""

    return_attention_mask: bool = False
    hop_length: int = 10
    win_length: int = 25
    win_function: str = "hamming_window"
    frame_signal_scale: float = 32768.0
    preemphasis_coeff: float = 0.97
    mel_floor: float = 1.0
    sample_size: int | None = None
    sample_stride: int | None = None
    n_fft: int | None = None
    n_freqs: int | None = None

    def derive(self) -> None:
        size = self.win_length * self.sampling_rate // 1000
        self.sample_size = self.sample_size or size
        self.sample_stride = self.sample_stride or self.hop_length * self.sampling_rate // 1000
        self.n_fft = self.n_fft or 1 << (self.sample_size - 1).bit_length()
        self.n_freqs = self.n_freqs or self.n_fft // 2 + 1

    def extract(self, waves: list[Tensor], padding: Padding, **own: Any) -> dict[str, Any]:
        assert self.sample_size and self.sample_stride and self.n_fft
        spectrum = Spectrum(
            frame=self.sample_size,
            hop=self.sample_stride,
            fft=self.n_fft,
            window=self.win_function,
            periodic=False,
            power=1,
            center=False,
            preemphasis=self.preemphasis_coeff,
        )
        bank = MelBank(bins=spectrum.bins, mels=self.feature_size, rate=self.sampling_rate, scale="htk")

        def features(wave: Tensor) -> Tensor:
            mels = spectrum(wave[None] * self.frame_signal_scale, bank)[0]
            return mels.clamp(min=self.mel_floor).log().float()

        values, masks = self.fit(each(waves, features), padding)
        # Returned by default as well, whatever `return_attention_mask` says in the settings.
        asked = padding.return_attention_mask
        return {
            "input_features": self.normalized(values, masks),
            "attention_mask": masks if asked is None or asked else None,
        }
