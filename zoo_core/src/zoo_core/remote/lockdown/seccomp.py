"""A seccomp filter as classic BPF, assembled here: which system calls a worker may make.

Everything that is not named gets ``EPERM``, so that honest code sees an ordinary error. Calls that no model
has a use for, and other instruction sets, end the process.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zoo_core.remote.lockdown import syscalls
from zoo_core.remote.lockdown.syscalls import Machine

ALLOW: Final = 0x7FFF0000
KILL: Final = 0x80000000
ERRNO: Final = 0x00050000

AUDIT_ARCH: Final[dict[Machine, int]] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000

_ALLOWED = frozenset(
    {
        "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "close", "close_range",
        "fstat", "newfstatat", "stat", "lstat", "statx", "lseek", "munmap", "mprotect",
        "mremap", "madvise", "brk", "msync", "mincore", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn", "rt_sigpending", "sigaltstack", "access", "faccessat", "faccessat2", "readlink",
        "readlinkat", "getcwd", "getdents64", "select", "pselect6", "poll", "ppoll", "epoll_create1",
        "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2", "pipe2", "dup", "dup2", "dup3",
        "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
        "sched_get_priority_max", "sched_get_priority_min", "getcpu", "getpid", "gettid", "getppid",
        "getuid", "geteuid", "getgid", "getegid", "getgroups", "getpgrp", "getpgid", "getsid", "uname",
        "futex", "set_robust_list", "rseq", "set_tid_address", "exit", "exit_group", "clock_gettime",
        "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "getrandom",
        "getrusage", "getrlimit", "sysinfo", "times", "membarrier", "arch_prctl", "restart_syscall",
        "get_mempolicy", "fadvise64",
    }
)  # fmt: skip

_DEADLY = frozenset(
    {
        "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd",
        "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "bpf",
        "perf_event_open", "kexec_load", "kexec_file_load", "init_module", "finit_module",
        "delete_module", "reboot", "mount", "umount2", "pivot_root", "chroot", "setns", "unshare",
        "keyctl", "add_key", "request_key", "open_by_handle_at", "seccomp",
    }
)  # fmt: skip

_MISSING = frozenset({"clone3", "openat2"})
"""Calls whose arguments lie in memory, where a filter cannot check them: C libraries fall back."""

_WRITING = 0o3 | 0o100 | 0o1000 | 0o2000 | 0o10000000 | 0o20000000
"""Flags of open: access modes other than reading, CREAT, TRUNC, APPEND, PATH, TMPFILE."""
_THREAD = 0x00000100 | 0x00000800 | 0x00010000
"""Flags of clone: VM, SIGHAND, THREAD."""
_NEW_NAMESPACE = 0x7E020080 | 0x00002000
"""Flags of clone: every namespace, and PTRACE."""

# struct seccomp_data
_NR, _ARCH, _ARGS = 0, 4, 16
_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06


@dataclass(frozen=True, slots=True)
class OneOf:
    """The low 32 bits of argument ``index`` must be one of ``values``."""

    index: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bits:
    """Argument ``index`` must have all of ``present`` and none of ``absent``."""

    index: int
    present: int
    absent: int


@dataclass(frozen=True, slots=True)
class Null:
    """Argument ``index`` must be zero in all 64 bits."""

    index: int


@dataclass(frozen=True, slots=True)
class NotBoth:
    """Argument ``index`` must not have both of two bits."""

    index: int
    first: int
    second: int


Check = OneOf | Bits | Null | NotBoth
Instruction = tuple[int, int, int, int]
"""Operation, jump if true, jump if false, operand."""


def checked_calls(pid: int) -> dict[str, tuple[Check, ...]]:
    """Calls that are allowed for some arguments only, in a process whose own id is ``pid``."""
    return {
        "openat": (Bits(2, 0, _WRITING),),
        "open": (Bits(1, 0, _WRITING),),
        "clone": (Bits(0, _THREAD, _NEW_NAMESPACE),),
        # Close-on-exec, blocking, bytes waiting, and the two by which a file asks whether it is a terminal.
        "ioctl": (OneOf(1, (0x5450, 0x5451, 0x5421, 0x541B, 0x5401, 0x5413)),),
        # DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC, GET_SEALS.
        "fcntl": (OneOf(1, (0, 1, 2, 3, 4, 1030, 1034)),),
        # The names of threads and of memory areas.
        "prctl": (OneOf(0, (15, 16, 0x53564D41)),),
        "prlimit64": (Null(0), Null(2)),
        # Shared anonymous memory counts against no limit.
        "mmap": (NotBoth(3, 0x01, 0x20),),
        "kill": (OneOf(0, (pid,)),),
        "tgkill": (OneOf(0, (pid,)),),
    }


def assemble(machine: Machine, pid: int) -> list[Instruction]:
    """The program for ``machine``: architecture first, then one block per call, then refusal."""
    program: list[Instruction] = [
        (_LD, 0, 0, _ARCH),
        (_JEQ, 1, 0, AUDIT_ARCH[machine]),
        (_RET, 0, 0, KILL),
        (_LD, 0, 0, _NR),
    ]
    if machine == "x86_64":
        program += [(_JGE, 0, 1, _X32_BIT), (_RET, 0, 0, KILL)]
    verdicts = [(_ALLOWED, ALLOW), (_DEADLY, KILL), (_MISSING, ERRNO | errno.ENOSYS)]
    for names, verdict in verdicts:
        numbers = sorted(n for n in (syscalls.number(name, machine) for name in names) if n is not None)
        for number in numbers:
            program += [(_JEQ, 0, 1, number), (_RET, 0, 0, verdict)]
    for name, checks in checked_calls(pid).items():
        number_of = syscalls.number(name, machine)
        if number_of is not None:
            block = list(_checked(checks))
            program += [(_JEQ, 0, len(block), number_of), *block]
    return [*program, (_RET, 0, 0, ERRNO | errno.EPERM)]


def _checked(checks: tuple[Check, ...]) -> Iterator[Instruction]:
    """Instructions that end in a verdict for a call whose number has matched."""
    refuse = (_RET, 0, 0, ERRNO | errno.EPERM)
    for check in checks:
        low = _ARGS + 8 * check.index
        yield (_LD, 0, 0, low)
        if isinstance(check, OneOf):
            for left, value in zip(range(len(check.values), 0, -1), check.values, strict=True):
                yield (_JEQ, left, 0, value & 0xFFFFFFFF)
            yield refuse
        elif isinstance(check, Bits):
            for bit in (1 << i for i in range(32) if check.present >> i & 1):
                yield (_JSET, 1, 0, bit)
                yield refuse
            yield (_JSET, 0, 1, check.absent)
            yield refuse
        elif isinstance(check, NotBoth):
            yield (_JSET, 0, 2, check.first)
            yield (_JSET, 0, 1, check.second)
            yield refuse
        else:
            yield (_JEQ, 1, 0, 0)
            yield refuse
            yield (_LD, 0, 0, low + 4)
            yield (_JEQ, 1, 0, 0)
            yield refuse
    yield (_RET, 0, 0, ALLOW)


def install(pid: int) -> None:
    """Put the filter on the calling process for good. ``no_new_privs`` must be set. Raises ``OSError``."""
    machine = syscalls.this_machine()
    if machine is None:
        raise OSError("no seccomp filter is written for this machine")
    program = assemble(machine, pid)
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    syscalls.call("seccomp", 1, 0, ctypes.create_string_buffer(header, len(header)))


def available() -> bool:
    """Whether the kernel offers filters that can end a process."""
    action = struct.pack("=I", KILL)
    try:
        syscalls.call("seccomp", 2, 0, ctypes.create_string_buffer(action, len(action)))
    except OSError:
        return False
    return syscalls.this_machine() is not None
