"""PyTorch pickles, read with torch's restricted unpickler: tensors alone, nothing that runs."""

from __future__ import annotations

import pickle
import pickletools
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from zoo_core.checkpoint.headers import TensorInfo
from zoo_core.checkpoint.shards import WeightFiles
from zoo_core.checkpoint.sources import WeightSource, describe
from zoo_core.errors import CheckpointFormatError, UnsafeCheckpoint

_GLOBAL = re.compile(r"(?:GLOBAL|global) ([\w.]+)")


class PickleSource(WeightSource):
    """``pytorch_model.bin`` and its shards, mapped into memory where the file is of the zip format."""

    def __init__(self, files: WeightFiles) -> None:
        self.description = str(files.index or files.files[0])
        self._tensors: dict[str, Tensor] = {}
        tensors: dict[str, TensorInfo] = {}
        names: dict[str, list[str]] = {}
        for path in files.files:
            loaded = load_pickle(path)
            names[str(path)] = list(loaded)
            tensors.update((name, describe(tensor, str(path))) for name, tensor in loaded.items())
            self._tensors.update(loaded)
        files.check(names)
        self.tensors = tensors

    def read(self, name: str, *, keep: bool = True) -> Tensor:
        return self._tensors[name]

    def close(self) -> None:
        self._tensors = {}


def load_plain(path: Path) -> Mapping[str, Any]:
    """The dictionary of tensors, numbers, strings and dictionaries of them that a pickle holds.

    Raises UnsafeCheckpoint, naming the global that was asked for, when more would be built, and
    CheckpointFormatError when the file is not a pickle of a dictionary.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from error
    except Exception as error:  # a hostile or broken pickle can fail anywhere in the unpickler
        raise CheckpointFormatError(f"{path} is not a readable PyTorch file: {error}") from error
    if not isinstance(loaded, Mapping):
        raise CheckpointFormatError(f"{path} holds a {type(loaded).__name__}, not a dictionary of tensors.")
    return loaded


def load_pickle(path: Path) -> dict[str, Tensor]:
    """The tensors of one pickle by name; raises as `load_plain`, and when there is no tensor."""
    loaded = load_plain(path)
    found = {
        name: value.detach()
        for name, value in loaded.items()
        if isinstance(name, str) and isinstance(value, Tensor)
    }
    if loaded and not found:
        raise CheckpointFormatError(
            f"{path} holds no tensors but {', '.join(map(repr, list(loaded)[:5]))}; "
            "save model.state_dict() alone."
        )
    return found


def _refusal(path: Path, error: pickle.UnpicklingError) -> Exception:
    named = _GLOBAL.search(str(error))
    asked = named[1] if named is not None else next(_foreign_globals(path), None)
    if asked is not None:
        return UnsafeCheckpoint(
            f"{path} asks for {asked!r}, which is no part of a tensor: loading it would run code. "
            "Weights are read from tensors alone; convert the file to safetensors where you trust it, "
            "with safetensors.torch.save_file(state_dict, 'model.safetensors')."
        )
    reason = str(error).strip().splitlines()
    return CheckpointFormatError(
        f"{path} is not a readable PyTorch file: {reason[-1] if reason else error!r}"
    )


def _foreign_globals(path: Path) -> Iterator[str]:
    """The globals that the pickles in ``path`` name, apart from those that tensors need; nothing is run."""
    with path.open("rb") as file:
        data: IO[bytes] = file
        if zipfile.is_zipfile(file):
            archive = zipfile.ZipFile(file)
            inner = next((n for n in archive.namelist() if n.endswith("data.pkl")), None)
            if inner is None:
                return
            data = archive.open(inner)
        else:
            file.seek(0)
        strings: list[str] = []
        try:
            while True:  # the old format holds several pickles, one after the other
                for operation, argument, _ in pickletools.genops(data):
                    if isinstance(argument, str):
                        strings.append(argument)
                    if operation.name in ("GLOBAL", "INST"):
                        name = str(argument).replace(" ", ".")
                    elif operation.name == "STACK_GLOBAL":
                        name = ".".join(strings[-2:])
                    else:
                        continue
                    if not name.startswith(("torch.", "collections.OrderedDict")):
                        yield name
        except ValueError:  # the end of the pickles, or of what can be understood
            return
