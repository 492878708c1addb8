"""Keras weight files ``tf_model.h5``, read with h5py."""

from __future__ import annotations

import importlib
import threading
from typing import Any

import torch
from torch import Tensor

from zoo_core.checkpoint.headers import TensorInfo
from zoo_core.checkpoint.shards import WeightFiles
from zoo_core.checkpoint.sources import CODES, WeightSource
from zoo_core.errors import CheckpointFormatError, MissingDependency


class Hdf5Source(WeightSource):
    """The variables of ``tf_model.h5`` or its shards, under the names that Keras gave them."""

    def __init__(self, files: WeightFiles) -> None:
        try:
            h5py: Any = importlib.import_module("h5py")
        except ImportError as error:
            raise MissingDependency(
                f"{files.files[0]} is an HDF5 file, which the package h5py reads: "
                "pip install 'zoo-core[tensorflow]'"
            ) from error
        self.description = str(files.index or files.files[0])
        self._lock = threading.Lock()
        self._open: list[Any] = []
        self._datasets: dict[str, Any] = {}
        names: dict[str, list[str]] = {}
        for path in files.files:
            try:
                file = h5py.File(path, "r")
            except OSError as error:
                raise CheckpointFormatError(f"{path} is not a readable HDF5 file: {error}") from error
            self._open.append(file)
            found = {_variable(dataset.name): dataset for dataset in _datasets(file, h5py)}
            names[str(path)] = list(found)
            self._datasets |= found
        files.check(names)
        self.tensors = {name: self._info(name, dataset) for name, dataset in self._datasets.items()}

    def _info(self, name: str, dataset: Any) -> TensorInfo:
        dtype = getattr(torch, str(dataset.dtype), None)
        if not isinstance(dtype, torch.dtype) or dtype not in CODES:
            raise CheckpointFormatError(f"{self.description}: {name!r} has the dtype {dataset.dtype}")
        if dataset.external or dataset.is_virtual:
            raise CheckpointFormatError(f"{self.description}: {name!r} lies in another file")
        return TensorInfo(CODES[dtype], tuple(dataset.shape), self.description)

    def read(self, name: str, *, keep: bool = True) -> Tensor:
        with self._lock:
            return torch.from_numpy(self._datasets[name][()].reshape(self.tensors[name].shape))

    def close(self) -> None:
        with self._lock:
            for file in self._open:
                file.close()
            self._datasets.clear()


def _datasets(group: Any, h5py: Any) -> list[Any]:
    """Every dataset below ``group``; links to other files are not followed."""
    found = []
    for key in group:
        if isinstance(group.get(key, getlink=True), h5py.HardLink):
            child = group[key]
            found += _datasets(child, h5py) if isinstance(child, h5py.Group) else [child]
    return found


def _variable(path: str) -> str:
    """The name of a variable: its path without the group of the layer, which repeats the variable's start."""
    parts = path.strip("/").split("/")
    return "/".join(parts[1:] if len(parts) > 1 else parts)
