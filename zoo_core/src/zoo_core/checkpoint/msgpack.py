"""A bounded reader of MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md).

It reads what model files hold: no timestamps, no user types but those the caller handles, and large binary
values by position instead of by copy. Every length is checked against what is left.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from zoo_core.errors import CheckpointFormatError

DEPTH_LIMIT = 64
_FIXED = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h",
            0xD2: ">i", 0xD3: ">q"}  # fmt: skip
_BINARY = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I"}
_STRING = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_ARRAY = {0xDC: ">H", 0xDD: ">I"}
_MAP = {0xDE: ">H", 0xDF: ">I"}
_EXTENSION = {0xC7: ">B", 0xC8: ">H", 0xC9: ">I"}


@dataclass(frozen=True)
class Span:
    """A binary value, by position in the buffer."""

    start: int
    size: int


Extension = Callable[["Reader", int, Span], Any]
"""Called with the reader, the type code and the position of an extension value."""


class Reader:
    """One pass over ``buffer``; ``name`` is what messages call it."""

    def __init__(
        self, buffer: Any, extension: Extension, *, name: str, start: int = 0, end: int | None = None
    ):
        self.buffer, self.extension, self.name = memoryview(buffer), extension, name
        self.position, self.end = start, len(self.buffer) if end is None else end

    def within(self, span: Span) -> Reader:
        """A reader of the bytes of ``span`` alone."""
        return Reader(
            self.buffer, self.extension, name=self.name, start=span.start, end=span.start + span.size
        )

    def read(self, depth: int = 0) -> Any:
        """The next value."""
        if depth > DEPTH_LIMIT:
            raise self.bad(f"values are nested more than {DEPTH_LIMIT} deep")
        code = self._number(">B")
        if code <= 0x7F:
            return code
        if code >= 0xE0:
            return code - 0x100
        if code <= 0x8F:
            return self._map(code & 0x0F, depth)
        if code <= 0x9F:
            return self._array(code & 0x0F, depth)
        if code <= 0xBF:
            return self._string(code & 0x1F)
        if code in _FIXED:
            return _FIXED[code]
        if code in _NUMBERS:
            return self._number(_NUMBERS[code])
        if code in _BINARY:
            return self._span(self._number(_BINARY[code]))
        if code in _STRING:
            return self._string(self._number(_STRING[code]))
        if code in _ARRAY:
            return self._array(self._number(_ARRAY[code]), depth)
        if code in _MAP:
            return self._map(self._number(_MAP[code]), depth)
        if code in _EXTENSION or 0xD4 <= code <= 0xD8:
            size = self._number(_EXTENSION[code]) if code in _EXTENSION else 1 << (code - 0xD4)
            kind = self._number(">b")
            return self.extension(self, kind, self._span(size))
        raise self.bad(f"byte {code:#04x} begins no value")

    def bad(self, why: str) -> CheckpointFormatError:
        """The error for what was found at the current position."""
        return CheckpointFormatError(
            f"{self.name}: not a readable MessagePack file: {why} (byte {self.position:,})."
        )

    def _span(self, size: int) -> Span:
        if size > self.end - self.position:
            raise self.bad(f"a value of {size:,} bytes, {self.end - self.position:,} are left")
        span = Span(self.position, size)
        self.position += size
        return span

    def _number(self, form: str) -> Any:
        span = self._span(struct.calcsize(form))
        return struct.unpack_from(form, self.buffer, span.start)[0]

    def _string(self, size: int) -> str:
        span = self._span(size)
        try:
            return bytes(self.buffer[span.start : span.start + size]).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.bad(f"a string that is not UTF-8: {error.reason}") from None

    def _count(self, count: int) -> range:
        if count > self.end - self.position:  # an element takes a byte at least
            raise self.bad(f"{count:,} elements, {self.end - self.position:,} bytes are left")
        return range(count)

    def _array(self, count: int, depth: int) -> list[Any]:
        return [self.read(depth + 1) for _ in self._count(count)]

    def _map(self, count: int, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in self._count(count):
            key = self.read(depth + 1)
            if not isinstance(key, str | int):
                raise self.bad(f"a key of type {type(key).__name__}")
            if key in found:
                raise self.bad(f"the key {key!r} stands twice")
            found[key] = self.read(depth + 1)
        return found
