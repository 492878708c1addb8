"""The zygote: a clean process with torch imported and one thread, which forks a worker on request.

It runs no code of any repository. It starts with a scrubbed environment, so that no secret of the user's
is in the memory that its workers inherit, and it reaps them, so that none is left behind.

Requests come over a socket, one per message: ``{"serial": n, "namespaces": bool}`` with the descriptors of
:data:`zoo_core.remote.worker.service.DESCRIPTORS` and a pipe for the exit status. The answer is the serial
with a pidfd of the worker.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from zoo_core.remote.lockdown import namespaces, privileges, tiers
from zoo_core.remote.worker.service import DESCRIPTORS, serve

_FIRST_FREE = 3
_PRELOADED = (
    "numpy",
    "torch",
    "zoo_core.config",
    "zoo_core.modeling.model",
    "zoo_core.modeling.outputs",
    "zoo_core.remote.worker.operations",
)


def main(descriptor: int) -> NoReturn:
    """Serve requests on the socket ``descriptor`` until the program at its other end is gone.

    The end of the socket says so, not a signal at the parent's death: that would come when the *thread* ends
    that happened to start this process.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=descriptor)
    facilities = tiers.probe_by_forking()
    _preload()
    threads = privileges.thread_count()
    gc.collect()
    gc.freeze()
    channel.sendall(json.dumps({"facilities": facilities.to_json(), "threads": threads}).encode())
    _Zygote(channel).loop()


def _preload() -> None:
    """Import what every worker needs, once. Nothing here may start a thread."""
    for name in _PRELOADED:
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    # Each library looks at the processor when it first computes. Locked down, it could not, and would take
    # slower kernels, with other roundings than the program's.
    torch.backends.cpu.get_cpu_capability()
    small = torch.ones(8, 8)
    torch.nn.functional.linear(small, small).softmax(-1).exp().sum().item()
    torch.nn.functional.conv1d(small[None], small[None])
    torch.linalg.svd(small)


class _Zygote:
    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._children: dict[int, tuple[int, int]] = {}

    def loop(self) -> NoReturn:
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        while True:
            for ready, _ in poll.poll():
                if ready != self._channel.fileno():
                    poll.unregister(ready)
                    self._reap(ready)
                    continue
                data, received, _, _ = socket.recv_fds(self._channel, 4096, 16)
                if not data:
                    self._end()
                pidfd = self._fork(json.loads(data), received)
                if pidfd >= 0:
                    poll.register(pidfd, select.POLLIN)

    def _fork(self, request: dict[str, object], received: Sequence[int]) -> int:
        """Fork one worker, answer with its pidfd, and keep it until it ends."""
        *for_worker, status = received
        user, group = os.geteuid(), os.getegid()
        answer: dict[str, object] = {"serial": request["serial"]}
        try:
            pid = namespaces.fork() if request["namespaces"] else os.fork()
        except OSError as error:
            for descriptor in received:
                os.close(descriptor)
            self._channel.sendall(json.dumps({**answer, "error": str(error)}).encode())
            return -1
        if pid == 0:
            self._become_worker((user, group) if request["namespaces"] else None, for_worker, status)
        for descriptor in for_worker:
            os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = (pid, status)
        socket.send_fds(self._channel, [json.dumps(answer).encode()], [pidfd])
        return pidfd

    def _become_worker(
        self, owner: tuple[int, int] | None, for_worker: Sequence[int], status: int
    ) -> NoReturn:
        """In the child: close what is not the worker's, and serve. ``owner`` is known in new namespaces."""
        code = 70
        try:
            privileges.die_with_parent()
            self._channel.close()
            os.close(status)
            for pidfd, (_, other) in self._children.items():
                os.close(pidfd)
                os.close(other)
            if owner is not None:
                namespaces.map_user(*owner)
            code = serve(_in_place(for_worker))
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}".encode()[:500])
        finally:
            os._exit(code)

    def _reap(self, pidfd: int) -> None:
        pid, status = self._children.pop(pidfd)
        _, result = os.waitpid(pid, 0)
        os.close(pidfd)
        with contextlib.suppress(OSError):  # The program may no longer ask.
            os.write(status, str(os.waitstatus_to_exitcode(result)).encode())
        os.close(status)

    def _end(self) -> NoReturn:
        for pidfd in self._children:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        os._exit(0)


def _in_place(received: Sequence[int]) -> dict[str, int]:
    """Move the descriptors to fixed low numbers, above the standard three, and close every other one."""
    high = [os.dup2(descriptor, 100 + index, inheritable=False) for index, descriptor in enumerate(received)]
    os.closerange(_FIRST_FREE, 100)
    placed = [os.dup2(d, _FIRST_FREE + index, inheritable=False) for index, d in enumerate(high)]
    os.closerange(100, 100 + len(high))
    named = dict(zip(DESCRIPTORS, placed, strict=False))
    extra = placed[len(DESCRIPTORS) :]
    named.update({f"extra{index}": descriptor for index, descriptor in enumerate(extra)})
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(named["log"], 1)
    os.dup2(named["log"], 2)
    sys.stdin = open(0)  # noqa: SIM115 - for the life of the process
    sys.stdout = open(1, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    return named
