"""Smoothed linear interpolation, as scikit-image resizes: a Gaussian, then a linear spline (OWLv2)."""

from __future__ import annotations

import numpy as np


def gaussian(
    values: np.ndarray, sigma: float, axis: int, *, radius: int | None = None, repeat_edge: bool = False
) -> np.ndarray:
    """A Gaussian of width ``sigma`` along ``axis``, the border mirrored.

    Args:
        radius: how far it reaches; four widths when None.
        repeat_edge: mirror as ``c b a | a b c`` instead of ``c b | a b c``.
    """
    if sigma <= 0:
        return values
    if radius is None:
        radius = int(4 * sigma + 0.5)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    border = [(radius, radius) if axis == place else (0, 0) for place in range(values.ndim)]
    padded = np.pad(values, border, mode="symmetric" if repeat_edge else "reflect")
    out = np.zeros_like(values)
    for offset, tap in enumerate(taps):
        part = [slice(None)] * values.ndim
        part[axis] = slice(offset, offset + values.shape[axis])
        out += tap * padded[tuple(part)]
    return out


def linear(values: np.ndarray, length: int, axis: int) -> np.ndarray:
    """Linear interpolation to ``length`` points along ``axis``: centres aligned, the border mirrored."""
    old = values.shape[axis]
    places = (np.arange(length) + 0.5) * (old / length) - 0.5
    places = np.clip(np.abs(places), 0, None)
    places = np.where(places > old - 1, 2 * (old - 1) - places, places)
    low = np.clip(np.floor(places).astype(np.int64), 0, old - 1)
    high = np.minimum(low + 1, old - 1)
    share = (places - low).reshape([-1 if axis == place else 1 for place in range(values.ndim)])
    return np.take(values, low, axis=axis) * (1 - share) + np.take(values, high, axis=axis) * share


def warp(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """``values`` (height, width, channels) at ``size``, smoothed first where it shrinks."""
    found = values.astype(np.float64)
    low, high = found.min(), found.max()
    for axis, length in enumerate(size):
        found = gaussian(found, max(0.0, (values.shape[axis] / length - 1) / 2), axis)
    for axis, length in enumerate(size):
        found = linear(found, length, axis)
    return np.clip(found, low, high)
