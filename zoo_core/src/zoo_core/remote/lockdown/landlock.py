"""Landlock: a process gives up every right on files, TCP ports and foreign processes but those named."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from typing import Final

from zoo_core.remote.lockdown import syscalls

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILES_BY_ABI: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_TCP_BIND_AND_CONNECT = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3


def abi() -> int:
    """The version of Landlock in this kernel; 0 when there is none or it is turned off."""
    try:
        return syscalls.call("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def ruleset_attributes(version: int) -> bytes:
    """``struct landlock_ruleset_attr`` that handles everything which ABI ``version`` knows."""
    files = max(mask for since, mask in _FILES_BY_ABI.items() if since <= version)
    parts = [files]
    if version >= 4:
        parts.append(_TCP_BIND_AND_CONNECT)
    if version >= 6:
        parts.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    return struct.pack(f"={len(parts)}Q", *parts)


def restrict(readable: Iterable[str], listable: Iterable[str] = ()) -> None:
    """Leave the calling thread only reading of ``readable`` (files, or folders with all below).

    ``listable`` folders may be listed, their files not opened. Paths that do not exist are left out. Binds
    the calling thread and those it starts later, for good. Raises ``OSError``.
    """
    version = abi()
    if version < 1:
        raise OSError(errno.EOPNOTSUPP, "Landlock is not available")
    attributes = ruleset_attributes(version)
    ruleset = syscalls.call(
        "landlock_create_ruleset",
        ctypes.create_string_buffer(attributes, len(attributes)),
        len(attributes),
        0,
    )
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE | _READ_DIR)
        for path in listable:
            _allow(ruleset, path, _READ_DIR)
        syscalls.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            access &= ~_READ_DIR
        rule = struct.pack("=Qi", access, parent)
        syscalls.call("landlock_add_rule", ruleset, 1, ctypes.create_string_buffer(rule, len(rule)), 0)
    finally:
        os.close(parent)
