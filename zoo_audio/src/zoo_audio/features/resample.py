"""Change of the sampling rate by a windowed sinc (https://ccrma.stanford.edu/~jos/resample/)."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

_ZEROS = 6  # zero crossings of the sinc on each side
_ROLLOFF = 0.99  # of the lower of the two Nyquist frequencies


@lru_cache(maxsize=16)
def _kernel(source: int, target: int) -> tuple[Tensor, int]:
    """One filter for each phase, (target, 1, taps), and how far it reaches to the left."""
    cutoff = min(source, target) * _ROLLOFF
    reach = math.ceil(_ZEROS * source / cutoff)
    taps = torch.arange(-reach, reach + source, dtype=torch.float64)[None, :] / source
    phases = torch.arange(0, -target, -1, dtype=torch.float64)[:, None] / target
    times = ((phases + taps) * cutoff).clamp(-_ZEROS, _ZEROS)
    hann = torch.cos(times * math.pi / _ZEROS / 2).square()
    return (torch.sinc(times) * hann * (cutoff / source))[:, None], reach


def resample(wave: Tensor, source: int, target: int) -> Tensor:
    """(..., samples) at `source` Hz to (..., ceil(samples x target / source)) at `target` Hz."""
    if source <= 0 or target <= 0:
        raise ValueError(f"sampling rates must be positive, got {source} and {target}")
    common = math.gcd(source, target)
    step, phases = source // common, target // common
    if step == phases:
        return wave
    kernel, reach = _kernel(step, phases)
    flat = F.pad(wave.reshape(-1, 1, wave.shape[-1]), (reach, reach + step))
    found = F.conv1d(flat, kernel.to(wave), stride=step).transpose(1, 2).flatten(1)
    length = math.ceil(wave.shape[-1] * phases / step)
    return found[:, :length].reshape(*wave.shape[:-1], length)
