"""A stretch of shared memory that one side fills and the other copies from, call by call."""

from __future__ import annotations

import ctypes
import mmap
from typing import Final

from zoo_core.errors import SandboxError
from zoo_core.remote.wire.memory import Mapped

ALIGNMENT: Final = 64
_KEEP: Final = 64 << 20
"""Bytes that stay allocated between calls."""


class Arena:
    """One mapped memfd of fixed, sparse size. Writing is a bump pointer that :meth:`reset` takes back."""

    def __init__(self, descriptor: int, size: int, *, writable: bool) -> None:
        self.size = size
        self._memory = Mapped(descriptor, size, writable=writable)
        self._used = 0
        self._high = 0

    def reset(self) -> None:
        """Start over: what was written before is no longer needed. Gives large stretches back."""
        self._open_address()
        if self._high > _KEEP:
            self._memory.discard(_KEEP, self._high - _KEEP)
            self._high = _KEEP
        self._used = 0

    def write(self, source: int, length: int) -> int:
        """Copy ``length`` bytes from the address ``source``; returns the offset at which they stand."""
        offset = self._used
        if length > self.size - offset:
            raise SandboxError(
                f"{length:,} bytes more do not fit in the {self.size:,} bytes that one call may pass; "
                "raise SandboxPolicy(arena=...)"
            )
        if length:
            ctypes.memmove(self._open_address() + offset, source, length)
        self._used = min(-(-(offset + length) // ALIGNMENT) * ALIGNMENT, self.size)
        self._high = max(self._high, min(-(-self._used // mmap.PAGESIZE) * mmap.PAGESIZE, self.size))
        return offset

    def read(self, offset: int, length: int, target: int) -> None:
        """Copy ``length`` bytes at ``offset`` to the address ``target``. Checks the bounds."""
        if not (0 <= offset <= self.size and 0 <= length <= self.size - offset):
            raise SandboxError(f"bytes {offset} to {offset + length} lie outside of the {self.size:,} shared")
        if length:
            ctypes.memmove(target, self._open_address() + offset, length)

    def close(self) -> None:
        """Unmap the memory; later use is an error."""
        self._memory.close()

    def _open_address(self) -> int:
        if not self._memory.address:
            raise SandboxError("the sandbox has ended: it was closed; load again or call restart()")
        return self._memory.address
