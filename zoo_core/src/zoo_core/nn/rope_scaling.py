"""Frequencies of rotary embeddings, and the ways of stretching them to longer contexts.

The `rope_scaling` entry of config.json selects one by `rope_type` (or, in older files, `type`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import ConfigError


@dataclass(frozen=True)
class Frequencies:
    """Inverse wavelengths (dim / 2,), a factor of the tables, and how they change with the context."""

    at: Callable[[int], Tensor]
    attention_factor: float = 1.0
    depends_on_length: bool = False


def frequencies(dim: int, theta: float, scaling: Mapping[str, Any] | None, max_positions: int) -> Frequencies:
    """The frequencies of `dim` rotated features; see `RotaryEmbedding` for the arguments.

    Raises:
        ConfigError: the type of scaling is unknown, or lacks a parameter.
    """
    scaling = dict(scaling or {})
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind not in _KINDS:
        raise ConfigError(f"rope_scaling: unknown rope_type {kind!r}; known are {', '.join(_KINDS)}")
    try:
        return _KINDS[kind](dim, theta, scaling, max_positions)
    except KeyError as missing:
        raise ConfigError(
            f"rope_scaling of type {kind!r} needs {missing}; it has {sorted(scaling)}"
        ) from None


def inverse_wavelengths(dim: int, theta: float) -> Tensor:
    """theta ** (-2i / dim) for i in 0 ... dim / 2 - 1, float32."""
    return 1.0 / (theta ** (torch.arange(0, dim, 2, dtype=torch.int64).float() / dim))


# What `Frequencies.at` may be; no closures, so that a model can be pickled.


def _always(kept: Tensor, length: int) -> Tensor:
    return kept


def _either(short: Tensor, long: Tensor, limit: int, length: int) -> Tensor:
    return long if length > limit else short


def _ntk(dim: int, theta: float, factor: float, limit: int, length: int) -> Tensor:
    stretch = factor * max(length, limit) / limit - (factor - 1)
    return inverse_wavelengths(dim, theta * stretch ** (dim / (dim - 2)))


def _default(dim: int, theta: float, scaling: Mapping[str, Any], max_positions: int) -> Frequencies:
    base = inverse_wavelengths(dim, theta)
    return Frequencies(partial(_always, base))


def _linear(dim: int, theta: float, scaling: Mapping[str, Any], max_positions: int) -> Frequencies:
    """Position interpolation (https://arxiv.org/abs/2306.15595)."""
    base = inverse_wavelengths(dim, theta) / scaling["factor"]
    return Frequencies(partial(_always, base))


def _dynamic(dim: int, theta: float, scaling: Mapping[str, Any], max_positions: int) -> Frequencies:
    """NTK-aware scaling that starts where the pre-training context ends."""
    factor = scaling["factor"]
    return Frequencies(partial(_ntk, dim, theta, factor, max_positions), depends_on_length=True)


def _yarn(dim: int, theta: float, scaling: Mapping[str, Any], max_positions: int) -> Frequencies:
    """YaRN (https://arxiv.org/abs/2309.00071): long wavelengths are interpolated, short ones kept."""
    factor = scaling["factor"]
    original = scaling.get("original_max_position_embeddings") or max_positions
    attention_factor = scaling.get("attention_factor")
    if attention_factor is None:
        mscale, mscale_all = scaling.get("mscale"), scaling.get("mscale_all_dim")
        if mscale and mscale_all:
            attention_factor = yarn_scale(factor, mscale) / yarn_scale(factor, mscale_all)
        else:
            attention_factor = yarn_scale(factor, 1.0)

    def feature(rotations: float) -> float:
        """The feature index that turns `rotations` times over the original context."""
        return dim * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(theta))

    low, high = feature(scaling.get("beta_fast") or 32), feature(scaling.get("beta_slow") or 1)
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    ramp = (torch.arange(dim // 2, dtype=torch.float32) - low) / max(high - low, 0.001)
    keep = 1 - ramp.clamp(0, 1)
    base = inverse_wavelengths(dim, theta)
    mixed = base / factor * (1 - keep) + base * keep
    return Frequencies(partial(_always, mixed), attention_factor)


def yarn_scale(factor: float, mscale: float) -> float:
    """YaRN's growth of the scores with the logarithm of the stretch."""
    return 1.0 if factor <= 1 else 0.1 * mscale * math.log(factor) + 1.0


def _longrope(dim: int, theta: float, scaling: Mapping[str, Any], max_positions: int) -> Frequencies:
    """LongRoPE (https://arxiv.org/abs/2402.13753): a searched factor for each wavelength."""
    original = scaling.get("original_max_position_embeddings") or max_positions
    factor = scaling.get("factor") or max_positions / original
    attention_factor = scaling.get("attention_factor")
    if attention_factor is None:
        attention_factor = 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(original))
    for name in ("long_factor", "short_factor"):
        if len(scaling[name]) != dim // 2:
            raise ConfigError(
                f"rope_scaling: {name} has {len(scaling[name])} factors; it must have one for each pair of "
                f"rotated features of a head, {dim // 2}"
            )
    base = inverse_wavelengths(dim, theta)
    long = base / torch.tensor(scaling["long_factor"], dtype=torch.float32)
    short = base / torch.tensor(scaling["short_factor"], dtype=torch.float32)
    return Frequencies(partial(_either, short, long, original), attention_factor, depends_on_length=True)


def _llama3(dim: int, theta: float, scaling: Mapping[str, Any], max_positions: int) -> Frequencies:
    """Llama 3.1: wavelengths beyond the original context are divided, those near it blended."""
    factor, original = scaling["factor"], scaling["original_max_position_embeddings"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    base = inverse_wavelengths(dim, theta)
    turns = original * base / (2 * math.pi)
    blend = ((turns - low) / (high - low)).clamp(0, 1)
    mixed = base / factor * (1 - blend) + base * blend
    return Frequencies(partial(_always, mixed))


_KINDS: dict[str, Callable[[int, float, Mapping[str, Any], int], Frequencies]] = {
    "default": _default,
    "linear": _linear,
    "dynamic": _dynamic,
    "yarn": _yarn,
    "longrope": _longrope,
    "su": _longrope,
    "llama3": _llama3,
}
