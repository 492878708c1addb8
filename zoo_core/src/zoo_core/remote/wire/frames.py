"""Frames over pipes: four bytes of length, little-endian, then so much JSON.

The same reader serves both ends. On the program's end every frame is hostile: its length is bounded before
anything is read, and what is not JSON is a :class:`ProtocolError`, never a crash.
"""

from __future__ import annotations

import json
import os
from typing import Any, Final

from zoo_core.errors import SandboxError

REPLY_LIMIT: Final = 1 << 20
"""Longest frame that a program accepts from its worker, in bytes. Tensors do not pass here."""
REQUEST_LIMIT: Final = 256 << 20
"""Longest frame that a worker accepts from its program: source files and documents pass here."""


class ProtocolError(SandboxError):
    """The other end sent something outside the protocol."""


def pack(message: dict[str, Any], *, limit: int) -> bytes:
    """The frame of ``message``. NaN and infinities must have been spelled out before (:mod:`codec`)."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode()
    if len(body) > limit:
        raise ProtocolError(f"a message of {len(body):,} bytes; at most {limit:,} pass at once")
    return len(body).to_bytes(4, "little") + body


def unpack(body: bytes) -> dict[str, Any]:
    """The message in the body of a frame. Raises :class:`ProtocolError` for anything but a JSON object."""
    try:
        message = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a reply that is not JSON: {str(error)[:200]}") from None
    if not isinstance(message, dict):
        raise ProtocolError("a reply that is not a JSON object")
    return message


def _no_constant(name: str) -> None:
    raise ValueError(f"the constant {name}")


class FrameBuffer:
    """Collects bytes into frames, for a reader that gets them piece by piece."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        self._data += data

    def next(self) -> bytes | None:
        """The body of the next complete frame; None when more bytes are needed."""
        if len(self._data) < 4:
            return None
        length = int.from_bytes(self._data[:4], "little")
        if length > self._limit:
            raise ProtocolError(f"a frame that claims {length:,} bytes; at most {self._limit:,} are read")
        if len(self._data) < 4 + length:
            return None
        body = bytes(self._data[4 : 4 + length])
        del self._data[: 4 + length]
        return body

    @property
    def pending(self) -> int:
        """Bytes that belong to no complete frame yet."""
        return len(self._data)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte of ``data`` to a blocking descriptor."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


class FrameReader:
    """Reads frames from a blocking descriptor: the worker's end."""

    def __init__(self, descriptor: int, *, limit: int = REQUEST_LIMIT) -> None:
        self._descriptor = descriptor
        self._buffer = FrameBuffer(limit)

    def read(self) -> dict[str, Any] | None:
        """The next message; None at the end of the stream."""
        while (body := self._buffer.next()) is None:
            data = os.read(self._descriptor, 1 << 16)
            if not data:
                return None
            self._buffer.feed(data)
        return unpack(body)
