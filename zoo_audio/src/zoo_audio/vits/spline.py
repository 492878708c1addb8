"""Monotonic rational-quadratic splines with linear tails (https://arxiv.org/abs/1906.04032), inverted."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

_LEAST = 1e-3
"""Of a bin's share of the interval, and of a slope."""


def _knots(shares: Tensor, bound: float) -> Tensor:
    """Unnormalised shares (..., bins) to ascending knots (..., bins + 1) from -bound to bound."""
    bins = shares.shape[-1]
    shares = _LEAST + (1 - _LEAST * bins) * shares.softmax(-1)
    knots = 2 * bound * F.pad(shares.cumsum(-1), (1, 0)) - bound
    knots[..., 0], knots[..., -1] = -bound, bound
    return knots


def spline_inverse(values: Tensor, widths: Tensor, heights: Tensor, slopes: Tensor, bound: float) -> Tensor:
    """Where the spline takes `values` (...); outside of -bound to bound it is the identity.

    Args:
        widths, heights: (..., bins), unnormalised. slopes: (..., bins - 1), unnormalised, of inner knots.
    """
    inside = (values >= -bound) & (values <= bound)
    x, y = _knots(widths, bound), _knots(heights, bound)
    edge = math.log(math.exp(1 - _LEAST) - 1)  # where softplus gives the slope 1 of the tails
    slopes = _LEAST + F.softplus(F.pad(slopes, (1, 1), value=edge))
    target = values.clamp(-bound, bound)[..., None]
    index = (target >= y[..., 1:-1]).sum(-1, keepdim=True)

    def at(table: Tensor, offset: int = 0) -> Tensor:
        return table.gather(-1, index + offset)[..., 0]

    width, height = at(x, 1) - at(x), at(y, 1) - at(y)
    slope, first, second = height / width, at(slopes), at(slopes, 1)
    rise = target[..., 0] - at(y)
    bend = first + second - 2 * slope
    # Equations 6 to 8 of the paper: a quadratic in the place within the bin.
    a = height * (slope - first) + rise * bend
    b = height * first - rise * bend
    c = -slope * rise
    place = 2 * c / (-b - (b * b - 4 * a * c).sqrt())
    return torch.where(inside, place * width + at(x), values)
