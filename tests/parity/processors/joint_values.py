"""Arguments and answers of processors as JSON: what recording and checking share."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from pictures import picture, places
from PIL import Image

SHOWN = 200
"""Whole numbers that are kept in full."""


def revive(value: Any) -> Any:
    """``value`` with its described pictures (``$picture``), videos (``$video``), ids and so on made."""
    if isinstance(value, dict):
        if "$picture" in value:
            height, width, seed = value["$picture"]
            return Image.fromarray(picture(height=height, width=width, seed=seed))
        if "$video" in value:
            frames, height, width, seed = value["$video"]
            return np.stack([picture(height=height, width=width, seed=seed + i) for i in range(frames)])
        if "$ids" in value:
            return np.asarray(value["$ids"])
        if "$tensor" in value:
            import torch

            return torch.tensor(value["$tensor"])
        if "$outputs" in value:
            return SimpleNamespace(**revive(value["$outputs"]))
        return {name: revive(item) for name, item in value.items()}
    return [revive(item) for item in value] if isinstance(value, list) else value


def describe(value: Any) -> Any:
    """An answer in JSON: numbers and strings as they are, of large arrays some values."""
    if hasattr(value, "detach"):
        return {"$pt": describe_array(value.detach().cpu().numpy())}
    if isinstance(value, np.ndarray):
        return {"$np": describe_array(value)}
    if hasattr(value, "items"):
        return {str(name): describe(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        if len(value) > SHOWN and all(isinstance(item, (int, float)) for item in value):
            return {"$list": describe_array(np.asarray(value))}
        return [describe(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, (int, float, str, bool, type(None))) else str(type(value).__name__)


def describe_array(array: np.ndarray) -> dict[str, Any]:
    """Shape, dtype and values, all of them where they are few whole numbers."""
    whole = array.dtype.kind in "iub" and array.size <= SHOWN  # ids in full
    chosen = array.ravel() if whole else array.ravel()[places(array.size)]
    values = [float(f"{item:.6g}") if array.dtype.kind == "f" else item for item in chosen.tolist()]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "values": values}


def differences(want: Any, got: Any, where: str = "") -> list[str]:
    """In which places ``got`` is not ``want``, both as ``describe`` gives them."""
    if isinstance(want, dict) and isinstance(got, dict) and {*want} & {"shape"}:
        kinds = want["dtype"], got.get("dtype")  # masks of padded samples are floats there, integers here
        same = want["shape"] == got.get("shape") and (len({*kinds}) == 1 or kinds == ("float64", "int64"))
        if same and len(want["values"]) == len(got["values"]):
            have, expected = (np.asarray(one["values"], dtype=np.float64) for one in (got, want))
            limit = 1e-3 * max(1.0, float(np.abs(expected).max(initial=0))) if "float" in want["dtype"] else 0
            if float(np.abs(have - expected).max(initial=0)) <= limit:
                return []
        return [f"{where}: {got}, expected {want}"]
    if isinstance(want, dict) and isinstance(got, dict):
        found = [] if [*want] == [*got] or {*want} == {*got} else [f"{where}: {[*got]}, expected {[*want]}"]
        return found + [
            d for name in want if name in got for d in differences(want[name], got[name], f"{where}.{name}")
        ]
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        pairs = enumerate(zip(want, got, strict=True))
        return [d for i, (one, other) in pairs for d in differences(one, other, f"{where}[{i}]")]
    if isinstance(want, float) and isinstance(got, float):
        return [] if abs(want - got) <= 1e-3 * max(1.0, abs(want)) else [f"{where}: {got}, expected {want}"]
    return [] if want == got and type(want) is type(got) else [f"{where}: {got!r}, expected {want!r}"]
