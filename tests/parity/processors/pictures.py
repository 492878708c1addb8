"""Pictures made from a seed, and outputs flattened to named arrays: what recording and checking share."""

from __future__ import annotations

from typing import Any

import numpy as np


def picture(*, height: int, width: int, seed: int) -> np.ndarray:
    """A picture (height, width, 3) of ramps, stripes and grain."""
    random = np.random.RandomState(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 / max(width - 1, 1), y * 255 / max(height - 1, 1), (x + y) * 7 % 256]
    return np.clip(np.stack(planes, -1) + random.randint(-20, 21, (height, width, 3)), 0, 255).astype(
        np.uint8
    )


def flatten(value: Any, prefix: str = "") -> dict[str, np.ndarray]:
    """Arrays, tensors and numbers in nested mappings and lists, by dotted path."""
    if value is None:
        return {}
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.ndarray):
        return {prefix: value}
    if hasattr(value, "items"):
        parts = list(value.items())
    elif isinstance(value, (list, tuple)):
        if value and all(isinstance(item, (int, float)) for item in value):
            return {prefix: np.asarray(value)}
        parts = [(str(place), item) for place, item in enumerate(value)]
    else:
        return {prefix: np.asarray(value)}
    found: dict[str, np.ndarray] = {}
    for name, item in parts:
        found |= flatten(item, f"{prefix}.{name}" if prefix else name)
    return found


def places(size: int) -> np.ndarray:
    """Indices of up to 24 evenly spaced values among ``size``."""
    return np.unique(np.linspace(0, max(size - 1, 0), num=min(24, size)).round().astype(int))
