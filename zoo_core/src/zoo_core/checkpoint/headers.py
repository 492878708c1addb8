"""A strict reader of safetensors headers: everything is checked before anything is allocated.

Format: eight bytes little-endian header size, a JSON object ``{name: {dtype, shape, data_offsets}}`` with
an optional ``__metadata__``, then the data without holes (https://github.com/huggingface/safetensors).
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo_core.errors import CheckpointFormatError

HEADER_LIMIT = 100_000_000
"""Bytes; a larger header is refused unread."""

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F4": 4,
}  # fmt: skip
"""Bits of one element, by dtype code of the format."""

FLOATING = frozenset(code for code in BITS if code.startswith(("F", "BF")))


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What a file says about a tensor, before its data is touched."""

    dtype: str
    """Code as in safetensors: F32, BF16, I64, ..."""
    shape: tuple[int, ...]
    file: str = ""
    """Path of the file that holds it."""
    start: int = 0
    """Offset of the first byte from the beginning of the file, where the format has one."""

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.elements * BITS[self.dtype] // 8

    @property
    def floating(self) -> bool:
        return self.dtype in FLOATING


@dataclass(frozen=True, slots=True)
class Header:
    """The checked header of one file."""

    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]
    size: int
    """Bytes of the whole file."""


def read_header(path: str | os.PathLike[str]) -> Header:
    """The checked header of the safetensors file at ``path``.

    Raises :class:`CheckpointFormatError` for a file that is truncated, oversized or contradicts itself.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        if len(prefix) < 8:
            raise _bad(path, f"{size} bytes are too few for a safetensors file; the download may be cut off")
        length = int.from_bytes(prefix, "little")
        if length > HEADER_LIMIT:
            seen = prefix[:8]
            hint = " (it looks like a pickle or zip file)" if seen[:2] in (b"\x80\x02", b"PK") else ""
            raise _bad(path, f"the header claims {length:,} bytes, the limit is {HEADER_LIMIT:,}{hint}")
        if 8 + length > size:
            raise _bad(path, f"the header claims {length:,} bytes, the file has {size:,}; it is cut off")
        raw = file.read(length)
    if len(raw) != length:
        raise _bad(path, "the file changed while its header was read")
    entries = _parse(path, raw)
    metadata = _metadata(path, entries.pop("__metadata__", {}))
    spans = [(*_entry(path, name, entry), name) for name, entry in entries.items()]
    _check_layout(path, spans, size - 8 - length)
    base, text = 8 + length, str(path)
    tensors = {name: TensorInfo(dtype, shape, text, base + begin) for begin, _, dtype, shape, name in spans}
    return Header(tensors, metadata, size)


def _bad(path: Path, why: str) -> CheckpointFormatError:
    return CheckpointFormatError(f"{path}: {why}.")


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    if not raw.startswith(b"{"):
        raise _bad(path, f"the header begins with {raw[:8]!r}, a safetensors header begins with '{{'")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise _bad(path, f"the header names {twice!r} twice")
        return found

    try:
        entries = json.loads(raw.decode("utf-8"), object_pairs_hook=unique)
    except UnicodeDecodeError as error:
        raise _bad(path, f"the header is not UTF-8 ({error.reason} at byte {error.start})") from None
    except CheckpointFormatError:
        raise
    except (ValueError, RecursionError) as error:
        raise _bad(path, f"the header is not JSON ({error})") from None
    if not isinstance(entries, dict):
        raise _bad(path, "the header is not a JSON object")
    return entries


def _metadata(path: Path, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise _bad(path, "__metadata__ is not an object of strings")
    return value


def _entry(path: Path, name: str, entry: Any) -> tuple[int, int, str, tuple[int, ...]]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _bad(path, f"tensor {name!r} is not described by dtype, shape and data_offsets alone")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        raise _bad(path, f"tensor {name!r} has the dtype {dtype!r}; known are {', '.join(BITS)}")
    if not _sizes(shape):
        raise _bad(path, f"tensor {name!r} has the shape {shape!r}, which is not a list of sizes")
    if not _sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _bad(
            path, f"tensor {name!r} has the data_offsets {offsets!r}, which are not a begin and an end"
        )
    bits = math.prod(shape) * BITS[dtype]
    if bits % 8 or bits // 8 != offsets[1] - offsets[0]:
        raise _bad(
            path,
            f"tensor {name!r} of {dtype} {list(shape)} needs {bits / 8:,.0f} bytes, its data_offsets give "
            f"{offsets[1] - offsets[0]:,}",
        )
    return offsets[0], offsets[1], dtype, tuple(shape)


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)


def _check_layout(path: Path, spans: list[tuple[int, int, str, tuple[int, ...], str]], data: int) -> None:
    """The tensors fill the data exactly: no overlap, no gap, nothing beyond the end."""
    spans.sort(key=lambda span: (span[0], span[1]))
    position, before = 0, None
    for begin, end, _, _, name in spans:
        if begin < position:
            raise _bad(path, f"tensors {before!r} and {name!r} overlap")
        if begin > position:
            raise _bad(path, f"{begin - position:,} bytes before tensor {name!r} belong to no tensor")
        if end > data:
            raise _bad(path, f"tensor {name!r} ends at byte {end:,} of {data:,}; the file is cut off")
        position, before = end, name
    if position != data:
        raise _bad(path, f"{data - position:,} bytes at the end belong to no tensor")
