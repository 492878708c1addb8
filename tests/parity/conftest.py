"""Checkpoints and inputs of recorded cases, made from the names that a case lists."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file


def values(name: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(name.encode()))


def weight(name: str, spec: list[Any]) -> torch.Tensor:
    dtype, shape, offset, scale = spec
    if dtype.startswith(("int", "uint", "bool")):
        return torch.full(shape, int(offset), dtype=getattr(torch, dtype))
    made = values(name).standard_normal(shape) * scale + offset
    return torch.from_numpy(np.asarray(made, dtype="float32")).to(getattr(torch, dtype)).contiguous()


def make_input(name: str, spec: Mapping[str, Any]) -> Any:
    """An input: a tensor made from its name or stored, a plain value, or a nest of these."""
    if "value" in spec:
        return spec["value"]
    if "list" in spec:
        items = [make_input(f"{name}.{i}", item) for i, item in enumerate(spec["list"])]
        return tuple(items) if spec.get("type") == "tuple" else items
    if "dict" in spec:
        return {key: make_input(f"{name}.{key}", item) for key, item in spec["dict"].items()}
    tensor = spec["tensor"]
    kind, shape = tensor["kind"], tensor["shape"]
    if kind in ("normal", "uniform"):
        drawn = values(name).standard_normal(shape) if kind == "normal" else values(name).random_sample(shape)
        return torch.from_numpy(np.asarray(drawn, dtype="float32"))
    if kind in ("ones", "zeros"):
        return torch.from_numpy(np.full(shape, int(kind == "ones"), dtype=tensor["dtype"]))
    raw = zlib.decompress(base64.b64decode(tensor["data"]))
    return torch.from_numpy(np.frombuffer(raw, dtype=tensor["dtype"]).reshape(shape).copy())


@pytest.fixture
def given() -> Callable[[str, Mapping[str, Any]], Any]:
    """Makes an input of a case, given its name and description."""
    return make_input


@pytest.fixture
def write_checkpoint() -> Callable[[Mapping[str, Any], Path], dict[str, torch.Tensor]]:
    """Writes the checkpoint of a case into a new folder; returns its weights."""

    def write(case: Mapping[str, Any], folder: Path) -> dict[str, torch.Tensor]:
        weights = {n: weight(n, s) for n, s in case["parameters"].items() if len(s) == 4}
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(case["config"]))
        if "generation_config" in case:
            (folder / "generation_config.json").write_text(json.dumps(case["generation_config"]))
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return weights

    return write
