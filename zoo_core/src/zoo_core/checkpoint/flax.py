"""Flax checkpoints: a MessagePack tree of dictionaries with arrays as extension values."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo_core.checkpoint.headers import BITS, TensorInfo
from zoo_core.checkpoint.msgpack import Reader, Span
from zoo_core.checkpoint.shards import WeightFiles
from zoo_core.checkpoint.sources import FileSource, ReadMode
from zoo_core.errors import CheckpointFormatError

_ARRAY, _SCALAR = 1, 3
_CHUNKED = "__msgpack_chunked_array__"
_CODES = {
    "float16": "F16", "float32": "F32", "float64": "F64", "bfloat16": "BF16", "bool": "BOOL",
    "uint8": "U8", "uint16": "U16", "uint32": "U32", "uint64": "U64",
    "int8": "I8", "int16": "I16", "int32": "I32", "int64": "I64",
}  # fmt: skip


def flax_source(files: WeightFiles, *, mode: ReadMode = "auto") -> FileSource:
    """The arrays of ``flax_model.msgpack`` or its shards, named by their path: ``encoder/layer/0/kernel``."""
    tensors: dict[str, TensorInfo] = {}
    names: dict[str, list[str]] = {}
    for path in files.files:
        found = dict(_read(path))
        names[str(path)] = list(found)
        tensors |= found
    files.check(names)
    sizes = {str(path): path.stat().st_size for path in files.files}
    return FileSource(tensors, sizes, description=str(files.index or files.files[0]), mode=mode)


def _read(path: Path) -> Iterator[tuple[str, TensorInfo]]:
    if not path.stat().st_size:
        raise CheckpointFormatError(f"{path} is empty.")
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    tree = Reader(data, _extension, name=str(path)).read()
    if not isinstance(tree, dict):
        raise CheckpointFormatError(f"{path} holds a {type(tree).__name__}, not a tree of parameters.")
    yield from _flatten(tree, "", path)


def _extension(reader: Reader, kind: int, span: Span) -> TensorInfo:
    """An array: its shape, dtype and bytes, packed once more."""
    if kind not in (_ARRAY, _SCALAR):
        raise reader.bad(f"an extension value of type {kind}; arrays are {_ARRAY} and scalars {_SCALAR}")
    parts = reader.within(span).read()
    if not isinstance(parts, list) or len(parts) != 3 or not isinstance(parts[2], Span):
        raise reader.bad("an array that is not its shape, dtype and bytes")
    shape, dtype, data = parts
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise reader.bad(f"an array of shape {shape!r}")
    if dtype not in _CODES:
        raise reader.bad(f"an array of dtype {dtype!r}; known are {', '.join(_CODES)}")
    code = _CODES[dtype]
    if math.prod(shape) * BITS[code] // 8 != data.size:
        raise reader.bad(f"an array of {dtype} {shape} in {data.size:,} bytes")
    return TensorInfo(code, tuple(shape), reader.name, data.start)


def _flatten(tree: Mapping[Any, Any], prefix: str, path: Path) -> Iterator[tuple[str, TensorInfo]]:
    if _CHUNKED in tree:
        raise CheckpointFormatError(
            f"{path}: {prefix.rstrip('/')} is stored in chunks (an array above 1 GB); save the Flax model "
            "as safetensors."
        )
    for key, value in tree.items():
        if isinstance(value, TensorInfo):
            yield f"{prefix}{key}", value
        elif isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}/", path)
        elif value is not None:
            raise CheckpointFormatError(f"{path}: {prefix}{key} is a {type(value).__name__}, not an array.")
