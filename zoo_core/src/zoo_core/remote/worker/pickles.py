"""Reading a pickle that builds more than tensors, inside the sandbox, for its tensors alone."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor


class _Stub:
    """Stands for any class or function that is not here: takes everything, does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, Mapping):
            self.__dict__.update(state)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, *args: Any) -> None:
        pass

    extend = append


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except (ImportError, AttributeError):
            return _Stub


class _Pickle:
    """What ``torch.load`` takes for a pickle module."""

    __name__ = "pickle"
    Unpickler = _Unpickler
    load = staticmethod(pickle.load)


class PickledTensors:
    """The tensors found in a pickle, by name."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = dict(tensors)

    def rows(self) -> list[list[Any]]:
        """[name, dtype, shape] of each tensor."""
        return [
            [name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)]
            for name, tensor in self._tensors.items()
        ]

    def tensors(self, names: Sequence[str]) -> dict[str, Tensor]:
        return {name: self._tensors[name] for name in names}


def read_pickle(descriptor: int) -> PickledTensors:
    """The tensors of the file behind ``descriptor``: of the mapping itself, or of ``state_dict`` and
    the like."""
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        loaded = torch.load(file, map_location="cpu", weights_only=False, pickle_module=_Pickle)
    found = _tensors_in(loaded)
    for key in ("state_dict", "model_state_dict", "model", "module", "weights"):
        inner = loaded.get(key) if isinstance(loaded, Mapping) else getattr(loaded, key, None)
        if not found and inner is not None:
            found = _tensors_in(inner)
    if not found and isinstance(loaded, torch.nn.Module):
        found = dict(loaded.state_dict())
    return PickledTensors(found)


def _tensors_in(value: Any) -> dict[str, Tensor]:
    if not isinstance(value, Mapping):
        return {}
    return {str(key): item.detach() for key, item in value.items() if isinstance(item, Tensor)}
