"""Stands before every attack: what all of them use."""

# ruff: noqa: F401 - the attacks use these
import ctypes
import errno
import mmap
import os
import platform
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
NUMBERS = {
    "open": (2, None),
    "openat": (257, 56),
    "openat2": (437, 437),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fork": (57, None),
    "execveat": (322, 281),
    "memfd_secret": (447, 447),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "rt_sigqueueinfo": (129, 138),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "kcmp": (312, 272),
    "get_robust_list": (274, 100),
    "move_pages": (279, 239),
    "perf_event_open": (298, 241),
    "ioprio_set": (251, 30),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "bpf": (321, 280),
    "add_key": (248, 217),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "seccomp": (317, 277),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "adjtimex": (159, 171),
    "timerfd_create": (283, 85),
    "signalfd4": (289, 74),
    "inotify_init1": (294, 26),
    "fanotify_init": (300, 262),
    "io_setup": (206, 0),
    "vmsplice": (278, 75),
    "splice": (275, 76),
    "set_mempolicy": (238, 237),
    "mlock": (149, 228),
    "sched_setscheduler": (144, 119),
    "name_to_handle_at": (303, 264),
    "socket": (41, 198),
    "quotactl": (179, 60),
    "migrate_pages": (256, 238),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "timer_create": (222, 107),
    "setuid": (105, 146),
    "setgroups": (116, 159),
    "acct": (163, 89),
    "copy_file_range": (326, 285),
    "remap_file_pages": (216, 234),
    "prctl": (157, 167),
    "mount": (165, 40),
    "memfd_create": (319, 279),
    "getpid": (39, 172),
    "statfs": (137, 43),
    "set_robust_list": (273, 99),
    "capget": (125, 90),
    "fallocate": (285, 47),
    "landlock": (444, 444),
    "statx": (332, 291),
    "setns": (308, 268),
    "process_madvise": (440, 440),
    "rt_tgsigqueueinfo": (297, 240),
    "listmount": (458, 458),
    "lsm_list_modules": (461, 461),
    "sync": (162, 81),
}
ARM = platform.machine() == "aarch64"


def call(name, *arguments):
    number = NUMBERS[name][ARM]
    result = libc.syscall(
        ctypes.c_long(number), *[ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    )
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def read(path):
    with open(path) as file:
        return file.read()


def child(run):
    pid = os.fork()
    if pid == 0:
        run()
        os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
