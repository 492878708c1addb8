"""One worker process: the pipes and memory that it shares with the program, and calls with deadlines."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import signal
import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any

import torch

from zoo_core.errors import SandboxError
from zoo_core.remote.host.readable import readable_paths
from zoo_core.remote.host.zygote import Zygote, zygote
from zoo_core.remote.lockdown.namespaces import outermost
from zoo_core.remote.lockdown.plan import Layers, Plan
from zoo_core.remote.sanitise import printable, quoted
from zoo_core.remote.trust import SandboxPolicy
from zoo_core.remote.wire import memory
from zoo_core.remote.wire.arena import Arena
from zoo_core.remote.wire.frames import (
    REPLY_LIMIT,
    REQUEST_LIMIT,
    FrameBuffer,
    ProtocolError,
    pack,
    unpack,
    write_all as write_frame,
)

_LOG_KEPT = 64 << 10
_MAX_WEIGHTS = 1 << 46


class WorkerDied(SandboxError):
    """The worker ended: it was stopped at a limit, killed by its lock-down, or crashed."""


class Worker:
    """A locked-down process. One call at a time; threads wait for each other.

    ``readable`` are files or folders that it may read beside Python and the installed packages.
    """

    def __init__(
        self,
        policy: SandboxPolicy,
        *,
        readable: Sequence[str] = (),
        listable: Sequence[str] = (),
        extra: Sequence[int] = (),
        layers: Layers | None = None,
        source: Zygote | None = None,
    ) -> None:
        self.policy = policy
        self.log = ""
        self._lock = threading.RLock()
        self._process_id = os.getpid()
        self._number = 0
        self._dead: str | None = None
        self._replies = FrameBuffer(REPLY_LIMIT)
        self._forgotten: list[int] = []
        source = source or zygote()
        layers = layers or source.facilities.layers(namespaces=policy.namespaces)
        size = policy.arena
        inbox, outbox = memory.make_memfd("zoo-in", size), memory.make_memfd("zoo-out", size)
        self.weights = memory.make_memfd("zoo-weights", 0)
        for descriptor in (inbox, outbox):
            memory.seal(descriptor)
        request_end, self._requests = os.pipe()
        self._reply_end, reply = os.pipe()
        self._log_end, log = os.pipe()
        self._status_end, status = os.pipe()
        views = [memory.read_only(inbox), outbox, memory.read_only(self.weights)]
        sent = [request_end, reply, log, *views, *extra, status]
        try:
            self.inbox = Arena(inbox, size, writable=True)
            self.outbox = Arena(outbox, size, writable=False)
            self._pidfd = source.fork(sent, namespaces=layers.namespaces)
        finally:
            for descriptor in (request_end, reply, log, *views, inbox, status):
                os.close(descriptor)
        os.set_blocking(self._log_end, False)
        self._finalizer = weakref.finalize(
            self,
            _release,
            self._pidfd,
            [self._requests, self._reply_end, self._log_end, self._status_end, self.weights],
        )
        self._start(layers, readable, listable)

    def _start(self, layers: Layers, readable: Sequence[str], listable: Sequence[str]) -> None:
        full, names = readable_paths()
        plan = Plan(
            readable=(*full, *outermost(readable)),
            listable=(*names, *listable),
            memory=int(self.policy.memory),
            shared=2 * self.policy.arena + (64 << 30),
            layers=layers,
        )
        first = {
            "id": 0,
            "plan": plan.to_json(),
            "sizes": {"inbox": self.inbox.size, "outbox": self.outbox.size},
            "threads": self.policy.threads or torch.get_num_threads(),
            "seed": secrets.randbits(62),
        }
        with self._lock:
            self._exchange(first, self.policy.start_deadline)

    @property
    def alive(self) -> bool:
        """Whether calls can still be made."""
        return self._dead is None and self._process_id == os.getpid()

    @property
    def lock(self) -> threading.RLock:
        """Held during a call; hold it to keep several calls together."""
        return self._lock

    def forget(self, number: int) -> None:
        """Let the worker drop something it keeps, with the next call. Safe in finalizers."""
        self._forgotten.append(number)

    def ask(self, operation: str, *, deadline: float | None = None, **fields: Any) -> dict[str, Any]:
        """One operation. Raises :class:`SandboxError` when the code fails, :class:`WorkerDied` when the
        process does not survive it."""
        with self._lock:
            self._number += 1
            forgotten, self._forgotten = self._forgotten, []
            request = {"id": self._number, "op": operation, "forget": forgotten, **fields}
            return self._exchange(request, deadline or self.policy.deadline)

    def close(self) -> None:
        """End the process and give everything back; a call in another thread fails."""
        if self._process_id == os.getpid():
            self._kill("it was closed")
        with self._lock:
            self._dead = self._dead or "it was closed"
            self._finalizer()
            self.inbox.close()
            self.outbox.close()

    def _exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        if self._process_id != os.getpid():
            raise SandboxError("this sandbox belongs to the process that started it; load again in this one")
        if self._dead is not None:
            raise WorkerDied(f"the sandbox ended earlier ({self._dead}); load again or call restart()")
        frame = pack(request, limit=REQUEST_LIMIT)
        try:
            write_frame(self._requests, frame)
            reply = self._await(time.monotonic() + seconds, seconds)
            return self._checked(reply, request["id"])
        except BrokenPipeError:
            raise self._died("") from None
        except ProtocolError as error:
            self._kill(f"it broke the protocol: {error}")
            raise
        except BaseException as error:
            if not isinstance(error, SandboxError):
                self._kill(f"a call was interrupted by {type(error).__name__}")
            raise

    def _await(self, until: float, seconds: float) -> dict[str, Any]:
        """The next frame, while keeping the log pipe empty."""
        poll = select.poll()
        poll.register(self._reply_end, select.POLLIN)
        poll.register(self._log_end, select.POLLIN)
        while True:
            body = self._replies.next()
            if body is not None:
                if self._replies.pending:
                    raise ProtocolError("more was sent than one reply")
                return unpack(body)
            left = until - time.monotonic()
            ready = poll.poll(max(left, 0) * 1000)
            if left <= 0:
                self._kill(f"it did not answer within {seconds:g} s")
                raise WorkerDied(
                    f"the sandboxed code did not finish within {seconds:g} s and was stopped; if it "
                    "needs longer: sandbox=SandboxPolicy(deadline=...)" + self._last_words()
                )
            for descriptor, _ in ready:
                if descriptor == self._log_end:
                    if not self._read_log():
                        poll.unregister(self._log_end)
                    continue
                data = os.read(self._reply_end, 1 << 16)
                if not data:
                    raise self._died("")
                self._replies.feed(data)

    def _checked(self, reply: dict[str, Any], number: int) -> dict[str, Any]:
        if type(reply.get("id")) is not int or reply["id"] != number or len(reply) != 2:
            raise ProtocolError("a reply to another question")
        if "ok" in reply:
            answer = reply["ok"]
            if not isinstance(answer, dict):
                raise ProtocolError("an answer that is not an object")
            return answer
        error = reply.get("error")
        if not isinstance(error, list) or len(error) != 3 or not all(isinstance(x, str) for x in error):
            raise ProtocolError("an error that is not one")
        if number == 0:
            self._kill("it could not be locked down")
        name, message, trace = error
        failure = SandboxError(quoted(f"{name}: {message}"))
        if trace:
            failure.add_note(quoted(trace[-8000:], limit=8000))
        raise failure

    def _read_log(self) -> bool:
        try:
            data = os.read(self._log_end, 1 << 16)
        except BlockingIOError:
            return True
        if data:
            self.log = (self.log + printable(data.decode("utf-8", "replace")))[-_LOG_KEPT:]
        return bool(data)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            while select.select([self._log_end], [], [], 0)[0] and self._read_log():
                pass
        tail = self.log[-1500:].strip()
        return f"\n{quoted(tail)}" if tail else ""

    def _died(self, reason: str) -> WorkerDied:
        self._kill(reason or "it ended")
        code = b""
        with contextlib.suppress(OSError):
            if select.select([self._status_end], [], [], 2.0)[0]:
                code = os.read(self._status_end, 64)
        text = _ending(code.decode("ascii", "replace"))
        self._dead = text
        return WorkerDied(f"the sandboxed code ended its process: {text}{self._last_words()}")

    def _kill(self, reason: str) -> None:
        self._dead = self._dead or reason
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)


def _ending(code: str) -> str:
    """What an exit status says, in words."""
    known = {
        "-31": "stopped for a system call that no model needs",
        "-9": "killed, for want of memory or at a limit",
        "-11": "it touched memory that is not its own, or wrote to the weights, which are read-only inside",
        "-24": "its processor time ran out",
        "-6": "it aborted",
        "-7": "it touched memory that is not there",
        "71": "it could not be locked down",
    }
    return known.get(code, f"exit status {code}" if code.lstrip("-").isdigit() else "no exit status")


def _release(pidfd: int, descriptors: Sequence[int]) -> None:
    """End the worker and close the program's descriptors."""
    with contextlib.suppress(OSError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    for descriptor in (pidfd, *descriptors):
        with contextlib.suppress(OSError):
            os.close(descriptor)
