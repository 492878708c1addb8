"""What a process gives up about itself: capabilities, privileges by exec, dumps, resources."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct

from zoo_core.remote.lockdown import syscalls

_libc = ctypes.CDLL(None, use_errno=True)

_SET_PDEATHSIG, _SET_DUMPABLE, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT = 1, 4, 24, 38, 47
_GET_DUMPABLE, _GET_NO_NEW_PRIVS = 3, 39
_CAPABILITY_VERSION_3 = 0x20080522


def prctl(option: int, *arguments: int) -> int:
    """``prctl(2)``. Raises ``OSError``."""
    padded = [*arguments, 0, 0, 0, 0][:4]
    result = int(_libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(item) for item in padded)))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"prctl({option}): {os.strerror(error)}")
    return result


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends."""
    prctl(_SET_PDEATHSIG, signal.SIGKILL)


def forbid_new_privileges() -> None:
    """No later exec may gain rights; needed for seccomp and Landlock without privileges."""
    prctl(_SET_NO_NEW_PRIVS, 1)
    if prctl(_GET_NO_NEW_PRIVS) != 1:
        raise OSError("no_new_privs did not hold")


def forbid_dumps() -> None:
    """Other processes of the user may neither trace this one nor read its memory."""
    prctl(_SET_DUMPABLE, 0)
    if prctl(_GET_DUMPABLE) != 0:
        raise OSError("the process can still be dumped")


def drop_capabilities() -> None:
    """Empty every capability set, the bounding set where that is allowed."""
    prctl(_CAP_AMBIENT, 4)
    for capability in range(64):
        try:
            prctl(_CAPBSET_DROP, capability)
        except OSError:
            break
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0), 8)
    nothing = ctypes.create_string_buffer(bytes(24), 24)
    syscalls.call("capset", header, nothing)


def limit_resources(*, address_space: int, data: int, files: int, processor_seconds: int) -> None:
    """Hard limits of this process: bytes of address space and of private memory, descriptors, CPU time.

    It can write to no file, lock no memory, and leaves no core. It is the first to go when memory is short.
    """
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass  # A hint: without it the kernel chooses by size alone.
    for name, limit in (
        (resource.RLIMIT_AS, address_space),
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_CPU, processor_seconds),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _, hard = resource.getrlimit(name)
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(name, (bound, bound))


def address_space_in_use() -> tuple[int, int]:
    """Bytes of address space, and of private writable memory, that this process has mapped now."""
    with open("/proc/self/statm") as file:
        fields = file.read().split()
    page = resource.getpagesize()
    return int(fields[0]) * page, int(fields[5]) * page


def thread_count() -> int:
    """How many threads this process has."""
    return len(os.listdir("/proc/self/task"))
