"""Weights on disk and in models: names, files, loading, saving."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo_core.checkpoint.headers import Header, TensorInfo, read_header
    from zoo_core.checkpoint.loader import load_weights
    from zoo_core.checkpoint.materialise import construct, skeleton
    from zoo_core.checkpoint.names import HubNames, NameConflict, NamePlan, Row
    from zoo_core.checkpoint.ops import Fused, Op, Permuted, Reshaped, Split, Stacked, Transposed
    from zoo_core.checkpoint.report import LoadReport
    from zoo_core.checkpoint.saver import save_weights
    from zoo_core.checkpoint.shards import Format, WeightFiles, first_floating, locate_weights
    from zoo_core.checkpoint.sources import TORCH_DTYPES, DictSource, WeightSource, open_files, open_weights

_HOMES = {
    "headers": ("Header", "TensorInfo", "read_header"),
    "loader": ("load_weights",),
    "materialise": ("construct", "skeleton"),
    "names": ("HubNames", "NameConflict", "NamePlan", "Row"),
    "ops": ("Fused", "Op", "Permuted", "Reshaped", "Split", "Stacked", "Transposed"),
    "report": ("LoadReport",),
    "saver": ("save_weights",),
    "shards": ("Format", "WeightFiles", "first_floating", "locate_weights"),
    "sources": ("TORCH_DTYPES", "DictSource", "WeightSource", "open_files", "open_weights"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "TORCH_DTYPES",
    "DictSource",
    "Format",
    "Fused",
    "Header",
    "HubNames",
    "LoadReport",
    "NameConflict",
    "NamePlan",
    "Op",
    "Permuted",
    "Reshaped",
    "Row",
    "Split",
    "Stacked",
    "TensorInfo",
    "Transposed",
    "WeightFiles",
    "WeightSource",
    "construct",
    "first_floating",
    "load_weights",
    "locate_weights",
    "open_files",
    "open_weights",
    "read_header",
    "save_weights",
    "skeleton",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
