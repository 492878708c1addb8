"""Short-time spectra: frames, windows, Fourier transform, mel bands; in blocks that fit the caches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_audio.features.mel import MelBank
from zoo_core.errors import ConfigError, ProcessingError

_BLOCK = 1 << 19  # samples of overlapping frames in one block

WINDOWS: dict[str, Callable[[int, bool], Tensor]] = {
    "hann": lambda size, periodic: torch.hann_window(size, periodic=periodic, dtype=torch.float64),
    "hamming": lambda size, periodic: torch.hamming_window(size, periodic=periodic, dtype=torch.float64),
    "povey": lambda size, periodic: torch.hann_window(size, periodic=periodic, dtype=torch.float64) ** 0.85,
    "boxcar": lambda size, periodic: torch.ones(size, dtype=torch.float64),
}


@lru_cache(maxsize=32)
def window(name: str, size: int, periodic: bool) -> Tensor:
    """(size,) float64; `name` is a key of WINDOWS, with or without the ending `_window`."""
    plain = name.removesuffix("_window")
    if plain not in WINDOWS:
        raise ConfigError(f"the window {name!r} is not known; use {', '.join(WINDOWS)}")
    return WINDOWS[plain](size, periodic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """How a waveform becomes a spectrum of frames; lengths are in samples.

    Args:
        frame: samples in a frame. hop: between the beginnings of two frames. fft: length of the
            transform; frames are followed by zeros.
        window, periodic: the weights of the samples in a frame.
        power: 2 for the power of each bin, 1 for its magnitude.
        center: frames are centred on multiples of `hop`, the ends padded by `pad_mode`.
        preemphasis: each sample minus this share of the one before it in its frame.
        remove_mean: of each frame, before the preemphasis.
        double: compute in float64; float32 is enough where the result is floored high.
    """

    frame: int
    hop: int
    fft: int
    window: str = "hann"
    periodic: bool = True
    power: int = 2
    center: bool = True
    pad_mode: str = "reflect"
    preemphasis: float = 0.0
    remove_mean: bool = False
    double: bool = True

    @property
    def bins(self) -> int:
        """Bins of a spectrum."""
        return self.fft // 2 + 1

    def frames(self, samples: int) -> int:
        """Frames of so many samples."""
        return 1 + (samples if self.center else samples - self.frame) // self.hop

    def __call__(self, waves: Tensor, bank: MelBank | None = None, *, most: int | None = None) -> Tensor:
        """(batch, samples) to (batch, frames, bins), or (batch, frames, mels) with a bank.

        Args:
            most: only so many frames.

        Raises:
            ProcessingError: a waveform shorter than one frame.
        """
        dtype = torch.float64 if self.double else torch.float32
        weights, margin = self.weights(), 0
        size = len(weights)
        if self.center:
            margin = size // 2
            if self.pad_mode == "reflect" and waves.shape[1] <= margin:
                raise ProcessingError(
                    f"{waves.shape[1]} samples are too few: the ends are mirrored over {margin}"
                )
        if waves.shape[1] + 2 * margin < size:
            raise ProcessingError(f"{waves.shape[1]} samples are fewer than a frame has, {size}")
        weights = weights.to(waves.device, dtype)
        bands = [] if bank is None else [(*places, part.to(weights)) for *places, part in bank.bands()]
        count = 1 + (waves.shape[1] + 2 * margin - size) // self.hop
        count = count if most is None else min(count, most)
        out = waves.new_empty(len(waves), count, self.bins if bank is None else bank.mels, dtype=dtype)
        step = max(1, _BLOCK // size)
        for wave, found in zip(waves, out, strict=True):
            framed = self.padded(wave.to(dtype), margin).unfold(0, size, self.hop)[:count]
            for start in range(0, count, step):
                power = self.power_of(framed[start : start + step], weights)
                if bank is None:
                    found[start : start + step] = power
                for bins, mels, part in bands:
                    torch.mm(power[:, bins], part, out=found[start : start + step, mels])
        return out

    def padded(self, wave: Tensor, margin: int) -> Tensor:
        """(samples,) with `margin` more on either side."""
        if self.pad_mode == "reflect" and margin:  # several times as fast as torch's, which goes by element
            return torch.cat((wave[1 : margin + 1].flip(0), wave, wave[-margin - 1 : -1].flip(0)))
        return F.pad(wave[None, None], (margin, margin), mode=self.pad_mode)[0, 0]

    def weights(self) -> Tensor:
        """The window, float64; where frames are centred and shorter, in the middle of the transform."""
        found = window(self.window, self.frame, self.periodic)
        missing = self.fft - self.frame if self.center else 0
        return F.pad(found, (missing // 2, missing - missing // 2))

    def power_of(self, frames: Tensor, weights: Tensor) -> Tensor:
        """(frames, samples) to the power, or the magnitude, of each bin."""
        if self.remove_mean:
            frames = frames - frames.mean(1, keepdim=True)
        if self.preemphasis:
            before = torch.cat((frames[:, :1], frames[:, :-1]), dim=1)
            frames = frames - self.preemphasis * before
        squares = torch.view_as_real(torch.fft.rfft(frames * weights, n=self.fft)).flatten(1).square_()
        power = squares[:, ::2] + squares[:, 1::2]  # real and imaginary parts alternate
        return power if self.power == 2 else power.sqrt_()


def decibels(power: Tensor, *, floor: float = 1e-10, top: float | None = None) -> Tensor:
    """10 log10 of a power, not below `floor`, nor more than `top` dB below the loudest of all."""
    found = 10.0 * power.clamp(min=floor).log10()
    return found if top is None else found.maximum(found.max() - top)
