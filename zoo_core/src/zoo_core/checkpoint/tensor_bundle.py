"""TensorFlow checkpoints ``model.ckpt.index`` with ``model.ckpt.data-00000-of-00001``.

The index is a sorted table of blocks (the LevelDB table format) from variable name to a small protocol
buffer, BundleEntryProto; the data files hold the raw tensors.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from zoo_core.checkpoint.headers import BITS, TensorInfo
from zoo_core.checkpoint.shards import WeightFiles
from zoo_core.checkpoint.sources import FileSource, ReadMode
from zoo_core.errors import CheckpointFormatError

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
_TRAILER = 5
INDEX_LIMIT = 256 * 2**20
_DTYPES = {1: "F32", 2: "F64", 3: "I32", 4: "U8", 5: "I16", 6: "I8", 8: "C64", 9: "I64", 10: "BOOL",
           14: "BF16", 17: "U16", 19: "F16", 22: "U32", 23: "U64"}  # fmt: skip
_STRING = 7

Fields = dict[int, list["int | bytes"]]


def bundle_source(files: WeightFiles, *, mode: ReadMode = "auto") -> FileSource:
    """The variables of a checkpoint by name; strings and slices of partitioned variables are refused."""
    index, *data = files.files
    entries = dict(_table(index))
    header = _message(index, entries.pop(b"", b""))
    shards = _number(header, 1)
    if _number(header, 2):
        raise _bad(index, "the tensors are big-endian")
    paths = {_shard_number(path, shards): path for path in data}
    sizes = {str(path): path.stat().st_size for path in data}
    tensors = {}
    for key, value in entries.items():
        name = key.decode("utf-8", "replace")
        info = _entry(index, name, _message(index, value), paths)
        if info is not None:
            tensors[name] = info
    ordered = dict(sorted(tensors.items(), key=lambda item: (item[1].file, item[1].start)))
    return FileSource(ordered, sizes, description=str(index), mode=mode)


def _bad(path: Path, why: str) -> CheckpointFormatError:
    return CheckpointFormatError(f"{path} is not a readable TensorFlow checkpoint: {why}.")


def _shard_number(path: Path, shards: int) -> int:
    found = re.search(r"\.data-(\d{5})-of-(\d{5})$", path.name)
    if found is None or int(found[2]) != shards:
        raise _bad(
            path, f"the index speaks of {shards} data files, named .data-00000-of-{shards:05d} and so on"
        )
    return int(found[1])


def _entry(index: Path, name: str, entry: Fields, paths: dict[int, Path]) -> TensorInfo | None:
    dtype, shard = _number(entry, 1), _number(entry, 3)
    if dtype == _STRING:
        return None  # the graph of objects, no weight
    if dtype not in _DTYPES:
        raise _bad(index, f"{name!r} has the dtype number {dtype}")
    if 7 in entry:
        raise _bad(index, f"{name!r} is a partitioned variable")
    if shard not in paths:
        raise _bad(index, f"{name!r} lies in data file {shard}, which is not there")
    dims = _message(index, _bytes(entry, 2)).get(2, [])
    shape = tuple(_number(_message(index, dim), 1) for dim in dims if isinstance(dim, bytes))
    start, size = _number(entry, 4), _number(entry, 5)
    end = paths[shard].stat().st_size
    if math.prod(shape) * BITS[_DTYPES[dtype]] // 8 != size or start + size > end:
        raise _bad(index, f"{name!r} of shape {list(shape)} has {size:,} bytes at {start:,} of {end:,}")
    return TensorInfo(_DTYPES[dtype], shape, str(paths[shard]), start)


# The table


def _table(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Every key and value, in order."""
    if path.stat().st_size > INDEX_LIMIT:
        raise _bad(path, f"the index is larger than {INDEX_LIMIT:,} bytes")
    data = path.read_bytes()
    if len(data) < _FOOTER or int.from_bytes(data[-8:], "little") != _MAGIC:
        raise _bad(path, "it does not end as an index does; it may be cut off")
    footer = data[-_FOOTER:]
    _, at = _handle(path, footer, 0)
    (offset, size), _ = _handle(path, footer, at)
    for _, value in _block(path, data, offset, size):
        (inner, length), _ = _handle(path, value, 0)
        yield from _block(path, data, inner, length)


def _block(path: Path, data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if offset + size + _TRAILER > len(data) or size < 4:
        raise _bad(path, "a block lies outside the file")
    if data[offset + size]:
        raise _bad(path, "its blocks are compressed; save the checkpoint again with TensorFlow 1.2 or newer")
    block = data[offset : offset + size]
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    at, key = 0, b""
    while at < end:
        shared, at = _varint(path, block, at)
        own, at = _varint(path, block, at)
        length, at = _varint(path, block, at)
        if shared > len(key) or at + own + length > end:
            raise _bad(path, "an entry lies outside its block")
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _handle(path: Path, data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = _varint(path, data, at)
    size, at = _varint(path, data, at)
    return (offset, size), at


def _varint(path: Path, data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _bad(path, "a number has no end")


# Protocol buffers


def _message(path: Path, data: bytes) -> Fields:
    """The fields of a message by number."""
    fields: Fields = {}
    at = 0
    while at < len(data):
        tag, at = _varint(path, data, at)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _varint(path, data, at)
        else:
            size, at = (8, at) if kind == 1 else (4, at) if kind == 5 else _varint(path, data, at)
            if kind not in (1, 2, 5) or at + size > len(data):
                raise _bad(path, "an entry is not a protocol buffer")
            value = data[at : at + size]
            at += size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _number(fields: Fields, number: int) -> int:
    value = fields.get(number, [0])[-1]
    return value if isinstance(value, int) else 0


def _bytes(fields: Fields, number: int) -> bytes:
    value = fields.get(number, [b""])[-1]
    return value if isinstance(value, bytes) else b""
