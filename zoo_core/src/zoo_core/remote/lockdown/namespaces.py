"""A world of its own for the worker: users, files, processes, network, host name, System V objects.

The new root is an empty tmpfs with the readable paths bound into it read-only; nothing else of the file
system has a name there, so not even its metadata can be seen.
"""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import struct
from collections.abc import Iterable

from zoo_core.remote.lockdown import syscalls

_libc = ctypes.CDLL(None, use_errno=True)

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 0x4000, 1 << 18
_MNT_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE, _AT_EMPTY_PATH = -100, 0x8000, 0x1000
_OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC = 1, os.O_CLOEXEC
_MOVE_MOUNT_F_EMPTY_PATH = 4
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_LINKS = ("/lib", "/lib64", "/lib32", "/bin", "/sbin")
_CHILD_SETTID, _CHILD_CLEARTID, _GET_TID_ADDRESS = 0x01000000, 0x00200000, 40
_python = ctypes.PyDLL(None)
_BASE = "/tmp"
"""Where the new root is mounted before it becomes the root: any folder will do, what it held is not lost."""


def fork() -> int:
    """``os.fork()`` into new namespaces, of which the child is the first process. Raises ``OSError``.

    One system call: forking twice, as ``unshare`` needs, would copy and tear down a large process once
    more. Only for a process with one thread. The child must call :func:`map_user` next.
    """
    _python.PyOS_BeforeFork()
    flags = _NEWUSER | _NEWNS | _NEWPID | _NEWNET | _NEWIPC | _NEWUTS | signal.SIGCHLD
    address = ctypes.c_void_p()
    child_tid = 0
    if _libc.prctl(_GET_TID_ADDRESS, ctypes.byref(address), 0, 0, 0) == 0 and address.value:
        child_tid = address.value  # So that the C library knows the child's thread by its own number.
        flags |= _CHILD_SETTID | _CHILD_CLEARTID
    machine = syscalls.this_machine()
    last = (child_tid, 0) if machine == "x86_64" else (0, child_tid)
    try:
        pid = syscalls.call("clone", flags, 0, 0, *last)
    except OSError:
        _python.PyOS_AfterFork_Parent()
        raise
    if pid == 0:
        _python.PyOS_AfterFork_Child()
    else:
        _python.PyOS_AfterFork_Parent()
    return pid


def map_user(user: int, group: int) -> None:
    """Be nobody inside; outside still the ``user`` and ``group`` that forked. Raises ``OSError``."""
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"65534 {user} 1")
    _write("/proc/self/gid_map", f"65534 {group} 1")
    _libc_call("sethostname", b"sandbox", ctypes.c_size_t(7))


def enter_private_root(readable: Iterable[str]) -> None:
    """Make a root that holds only ``readable``, read-only, at their own paths. Raises ``OSError``.

    ``readable`` must be :func:`outermost`.
    """
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    trees = [(path, is_folder, tree) for path, is_folder, tree in map(_clone, readable) if tree >= 0]
    _mount("tmpfs", _BASE, "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, "mode=755,size=4m")
    for link in _LINKS:
        if os.path.islink(link):
            os.symlink(os.readlink(link), _BASE + link)
    for path, is_folder, tree in trees:
        target = _BASE + path
        os.makedirs(target if is_folder else os.path.dirname(target), exist_ok=True)
        if not is_folder:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))
        syscalls.call("move_mount", tree, b"", _AT_FDCWD, target.encode(), _MOVE_MOUNT_F_EMPTY_PATH)
        os.close(tree)
    os.chdir(_BASE)
    _libc_call_pivot()
    os.chdir("/")


def outermost(paths: Iterable[str]) -> list[str]:
    """The paths, and where links lead them, without those that lie inside of another."""
    wanted = sorted({form for path in paths for form in (os.path.abspath(path), os.path.realpath(path))})
    kept: list[str] = []
    for path in wanted:
        parent = os.path.realpath(os.path.dirname(path))
        if parent != os.path.dirname(path) or (path in _LINKS and os.path.islink(path)):
            continue  # Reached through a link that the new root has too; the real path is in the list.
        if not (kept and path.startswith(kept[-1] + "/")):
            kept.append(path)
    return kept


def _clone(path: str) -> tuple[str, bool, int]:
    """The path, whether it is a folder, and a detached read-only copy of its mount; -1 when absent."""
    try:
        is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC | (_AT_RECURSIVE if is_folder else 0)
        tree = syscalls.call("open_tree", _AT_FDCWD, path.encode(), flags)
    except FileNotFoundError:
        return path, False, -1
    _read_only(tree, b"", recursive=is_folder)
    return path, is_folder, tree


def _read_only(descriptor: int, path: bytes, *, recursive: bool) -> None:
    attributes = struct.pack("=4Q", _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, 0, 0, 0)
    flags = _AT_EMPTY_PATH | (_AT_RECURSIVE if recursive else 0)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    syscalls.call("mount_setattr", descriptor, path, flags, buffer, len(attributes))


def _libc_call_pivot() -> None:
    """Swap the roots, drop the old one, and make the new one read-only."""
    syscalls.call("pivot_root", b".", b".")
    _libc_call("umount2", b".", ctypes.c_int(_MNT_DETACH))
    root = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    _read_only(root, b"", recursive=False)
    os.close(root)


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    def encoded(text: str | None) -> bytes | None:
        return None if text is None else text.encode()

    _libc_call("mount", encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags), encoded(data))


def _libc_call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
