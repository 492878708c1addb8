"""Shared memory between a program and its worker: sealed memfds and their mappings."""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import weakref
from typing import Any

import torch

_SEAL_SEAL, _SEAL_SHRINK, _SEAL_GROW, _SEAL_FUTURE_WRITE = 1, 2, 4, 16
_ADD_SEALS = 1033

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def make_memfd(name: str, size: int) -> int:
    """A memfd of ``size`` bytes that can be sealed; all zero, and no page allocated before it is touched."""
    descriptor = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    return descriptor


def resize(descriptor: int, size: int) -> None:
    """Give a memfd that is not sealed yet its size."""
    os.ftruncate(descriptor, size)


def seal(descriptor: int, *, writing: bool = False) -> None:
    """Fix the size for good: a peer that could shrink shared memory could kill us by SIGBUS.

    With ``writing`` no further writable mapping can be made; those that exist stay.
    """
    seals = _SEAL_SHRINK | _SEAL_GROW | _SEAL_SEAL | (_SEAL_FUTURE_WRITE if writing else 0)
    fcntl.fcntl(descriptor, _ADD_SEALS, seals)


def read_only(descriptor: int) -> int:
    """A second descriptor of the same memory, through which it can be neither written nor mapped writable."""
    return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)


class Mapped:
    """``size`` bytes of a descriptor in this process's memory at :attr:`address` until closed or dropped."""

    def __init__(self, descriptor: int, size: int, *, writable: bool) -> None:
        protection = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        address = _libc.mmap(None, size, protection, mmap.MAP_SHARED, descriptor, 0)
        if address is None or address == ctypes.c_void_p(-1).value:
            error = ctypes.get_errno()
            raise OSError(error, f"mapping {size:,} bytes of shared memory: {os.strerror(error)}")
        self.address: int = address
        self.size = size
        self._finalizer = weakref.finalize(self, _libc.munmap, address, size)

    def discard(self, offset: int, length: int) -> None:
        """Give the pages of a stretch back; it reads as zeros afterwards."""
        _libc.madvise(self.address + offset, length, mmap.MADV_REMOVE)

    def close(self) -> None:
        """Unmap now. Nothing may use the memory afterwards."""
        self.address = 0
        self._finalizer()

    def tensor(self, dtype: torch.dtype, shape: tuple[int, ...], offset: int) -> torch.Tensor:
        """A tensor that *is* the memory at ``offset``, and keeps the mapping alive."""
        count = 1
        for size in shape:
            count *= size
        if offset < 0 or count * dtype.itemsize > self.size - offset:
            raise ValueError(f"{count} x {dtype} at {offset} exceed the {self.size} bytes mapped")
        if not count:
            return torch.empty(shape, dtype=dtype)
        kind: Any = type("Memory", (ctypes.c_ubyte * (count * dtype.itemsize),), {})
        buffer = kind.from_address(self.address + offset)
        buffer.owner = self
        return torch.frombuffer(buffer, dtype=dtype).view(shape)
