"""Change of the sampling rate by a windowed sinc (https://ccrma.stanford.edu/~jos/resample/)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Sinc(NamedTuple):
    """A windowed sinc.

    zeros: its zero crossings on each side. rolloff: its cutoff, of the lower of the two Nyquist frequencies.
    beta: of a Kaiser window; None is Hann's.
    """

    zeros: float
    rolloff: float
    beta: float | None = None

    def window(self, times: Tensor) -> Tensor:
        """Weights of zero crossings between -`zeros` and `zeros`."""
        if self.beta is None:
            return torch.cos(times * math.pi / self.zeros / 2).square()
        inside = (1 - (times / self.zeros).square()).clamp(min=0).sqrt()
        edge = torch.tensor(self.beta, dtype=times.dtype)
        found: Tensor = torch.special.i0(self.beta * inside) / torch.special.i0(edge)
        return found


SHORT = Sinc(6, 0.99)
LONG = Sinc(50 * 0.9173473712608761, 0.9173473712608761, 12.9846)
"""Fifty samples of the lower rate on each side: resampy's "kaiser_best"."""


@lru_cache(maxsize=16)
def _kernel(source: int, target: int, sinc: Sinc) -> tuple[Tensor, int]:
    """One filter for each phase, (target, 1, taps), and how far it reaches to the left."""
    cutoff = min(source, target) * sinc.rolloff
    reach = math.ceil(sinc.zeros * source / cutoff)
    taps = torch.arange(-reach, reach + source, dtype=torch.float64)[None, :] / source
    phases = torch.arange(0, -target, -1, dtype=torch.float64)[:, None] / target
    times = ((phases + taps) * cutoff).clamp(-sinc.zeros, sinc.zeros)
    return (torch.sinc(times) * sinc.window(times) * (cutoff / source))[:, None], reach


def resample(wave: Tensor, source: int, target: int, *, sinc: Sinc = SHORT) -> Tensor:
    """(..., samples) at `source` Hz to (..., ceil(samples x target / source)) at `target` Hz."""
    if source <= 0 or target <= 0:
        raise ValueError(f"sampling rates must be positive, got {source} and {target}")
    common = math.gcd(source, target)
    step, phases = source // common, target // common
    if step == phases:
        return wave
    kernel, reach = _kernel(step, phases, sinc)
    flat = F.pad(wave.reshape(-1, 1, wave.shape[-1]), (reach, reach + step))
    found = F.conv1d(flat, kernel.to(wave), stride=step).transpose(1, 2).flatten(1)
    length = math.ceil(wave.shape[-1] * phases / step)
    return found[:, :length].reshape(*wave.shape[:-1], length)
