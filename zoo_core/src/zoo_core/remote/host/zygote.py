"""The program's end of the zygote: started once per process, on first use; asked to fork workers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence

from zoo_core.errors import SandboxError, SandboxUnavailable
from zoo_core.remote.host.readable import search_path
from zoo_core.remote.lockdown.tiers import Facilities

_START_SECONDS = 300

_ENVIRONMENT = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    # One thread until the fork: a thread that exists before the lock-down would escape it.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Waiting threads sleep, so that program and worker do not spin against each other.
    "GOMP_SPINCOUNT": "0",
    "OMP_WAIT_POLICY": "passive",
    "KMP_BLOCKTIME": "0",
    # Compilers cannot run inside.
    "TORCHDYNAMO_DISABLE": "1",
    "TORCHINDUCTOR_CACHE_DIR": "/",
    "PYTHONDONTWRITEBYTECODE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[2]); sys.argv[1:] = sys.argv[1:2];"
    "from zoo_core.remote.worker.zygote import main; main(int(sys.argv[1]))"
)


class Zygote:
    """One forking process. Thread-safe; belongs to the process that started it."""

    def __init__(self, *, python: str = sys.executable) -> None:
        self._lock = threading.Lock()
        self._serial = 0
        self._process_id = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [python, "-I", "-S", "-B", "-c", _START, str(theirs.fileno()), json.dumps(search_path())],
                env=_ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",
                start_new_session=True,
            )
        self._channel = ours
        ours.settimeout(_START_SECONDS)
        hello = self._receive()
        self.facilities = Facilities.from_json(hello["facilities"])
        self.threads = int(str(hello["threads"]))

    @property
    def alive(self) -> bool:
        """Whether it belongs to this process and still runs."""
        return self._process_id == os.getpid() and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def fork(self, descriptors: Sequence[int], *, namespaces: bool) -> int:
        """A new worker that owns copies of ``descriptors``; returns its pidfd. Raises ``SandboxError``."""
        with self._lock:
            self._serial += 1
            request = json.dumps({"serial": self._serial, "namespaces": namespaces}).encode()
            socket.send_fds(self._channel, [request], list(descriptors))
            answer, received = self._receive_with_descriptors()
            if answer.get("serial") != self._serial or "error" in answer or len(received) != 1:
                for descriptor in received:
                    os.close(descriptor)
                raise SandboxError(f"no worker could be started: {answer.get('error', 'no answer')}")
            return received[0]

    def let_go(self) -> None:
        """Close this copy of the socket, so that the zygote sees when the program that owns it ends."""
        self._channel.close()

    def close(self) -> None:
        """End it, and with it every worker."""
        self._channel.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def _receive_with_descriptors(self) -> tuple[dict[str, object], list[int]]:
        data, received, _, _ = socket.recv_fds(self._channel, 8192, 4)
        return (json.loads(data) if data else {}), received

    def _receive(self) -> dict[str, dict[str, object]]:
        try:
            data = self._channel.recv(8192)
        except TimeoutError:
            data = b""
        if data:
            answer: dict[str, dict[str, object]] = json.loads(data)
            return answer
        self._process.kill()
        _, errors = self._process.communicate()
        raise SandboxUnavailable(
            f"the process that starts sandboxes did not come up: {errors.decode(errors='replace')[-2000:]}"
        )


_current: Zygote | None = None
_current_lock = threading.Lock()


def zygote() -> Zygote:
    """The zygote of this process, started if need be."""
    global _current
    with _current_lock:
        if _current is None or not _current.alive:
            _current = Zygote()
        return _current


def _forget_in_child() -> None:
    """A forked copy of the program must start a zygote of its own."""
    global _current, _current_lock
    if _current is not None:
        _current.let_go()
    _current = None
    _current_lock = threading.Lock()


os.register_at_fork(after_in_child=_forget_in_child)
