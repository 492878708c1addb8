"""Mel scales and the filter banks that map the bins of a spectrum to mel bands."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from zoo_core.errors import ConfigError

_SLANEY_STEP = 200.0 / 3
_SLANEY_LOG = math.log(6.4) / 27


def _slaney(hertz: Tensor) -> Tensor:
    logarithmic = 15.0 + torch.log(hertz.clamp(min=1000.0) / 1000.0) / _SLANEY_LOG
    return torch.where(hertz < 1000.0, hertz / _SLANEY_STEP, logarithmic)


def _from_slaney(mels: Tensor) -> Tensor:
    return torch.where(
        mels < 15.0, mels * _SLANEY_STEP, 1000.0 * torch.exp(_SLANEY_LOG * (mels.clamp(min=15.0) - 15.0))
    )


SCALES: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "htk": (
        lambda hertz: 2595.0 * torch.log10(1.0 + hertz / 700.0),
        lambda mels: 700.0 * (10.0 ** (mels / 2595.0) - 1.0),
    ),
    "kaldi": (
        lambda hertz: 1127.0 * torch.log(1.0 + hertz / 700.0),
        lambda mels: 700.0 * (torch.exp(mels / 1127.0) - 1.0),
    ),
    "slaney": (_slaney, _from_slaney),
}
"""Hertz to mel and back. Slaney's is linear up to 1 kHz and logarithmic above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MelBank:
    """Overlapping triangles, evenly spaced on a mel scale.

    Args:
        bins: bins of the spectrum, from 0 Hz to half the sampling rate.
        mels: number of triangles. low, high: edges of the first and the last, in Hz.
        scale: a key of `SCALES`.
        slaney_norm: scale every triangle to the same area in Hz.
        in_mel: triangles are straight in mel rather than in Hz (Kaldi).
    """

    bins: int
    mels: int
    rate: int
    low: float = 0.0
    high: float | None = None
    scale: str = "slaney"
    slaney_norm: bool = False
    in_mel: bool = False

    def weights(self) -> Tensor:
        """(bins, mels) float64; computed once."""
        return _weights(self)

    def bands(self) -> list[tuple[slice, slice, Tensor]]:
        """The same weights in parts (bins, mels, weights), without most of their zeros."""
        return _bands(self)


@lru_cache(maxsize=32)
def _weights(bank: MelBank) -> Tensor:
    if bank.scale not in SCALES:
        raise ConfigError(f"the mel scale {bank.scale!r} is not known; use {', '.join(SCALES)}")
    high = bank.rate / 2 if bank.high is None else bank.high
    if not 0 <= bank.low < high:
        raise ConfigError(f"mel bands from {bank.low} Hz to {high} Hz: the first must be below the second")
    to_mel, to_hertz = SCALES[bank.scale]
    edges_mel = to_mel(torch.tensor([bank.low, high], dtype=torch.float64))
    points = torch.linspace(float(edges_mel[0]), float(edges_mel[1]), bank.mels + 2, dtype=torch.float64)
    hertz = to_hertz(points)
    centers = torch.linspace(0.0, bank.rate / 2, bank.bins, dtype=torch.float64)
    if bank.in_mel:
        edges, places = points, to_mel(centers)
    else:
        edges, places = hertz, centers
    widths = edges.diff()
    distance = edges[None, :] - places[:, None]
    falling, rising = distance[:, 2:] / widths[1:], -distance[:, :-2] / widths[:-1]
    found = torch.minimum(falling, rising).clamp(min=0)
    return found * (2.0 / (hertz[2:] - hertz[:-2])) if bank.slaney_norm else found


@lru_cache(maxsize=32)
def _bands(bank: MelBank) -> list[tuple[slice, slice, Tensor]]:
    weights, parts = bank.weights(), []
    for mels in torch.arange(bank.mels).chunk(4):
        columns = slice(int(mels[0]), int(mels[-1]) + 1)
        used = weights[:, columns].any(1).nonzero()
        rows = slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 1)
        parts.append((rows, columns, weights[rows, columns]))
    return parts
