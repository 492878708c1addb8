"""Workers that misbehave: limits, deadlines, floods, broken and hostile replies. The program survives all."""

from __future__ import annotations

import base64
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from zoo_core.errors import SandboxError
from zoo_core.remote.host.process import Worker, WorkerDied
from zoo_core.remote.trust import SandboxPolicy
from zoo_core.remote.wire import memory
from zoo_core.remote.wire.codec import Decoder, Encoder
from zoo_core.remote.wire.frames import ProtocolError

POLICY = SandboxPolicy(memory=1 << 30, arena=1 << 20, deadline=2.0, threads=1)
PTRACE = 101 if os.uname().machine == "x86_64" else 117
HEAD = """
import ctypes, json, mmap, os, signal, struct, sys, threading, time
REPLIES, OUTBOX, WEIGHTS = 4, 7, 8
def send(message, raw=None):
    body = json.dumps(message).encode() if raw is None else raw
    os.write(REPLIES, struct.pack("<I", len(body)) + body)
class Code:
    @classmethod
    def from_pretrained(cls, folder, **kwargs): return cls()
    def run(self):
"""

Run = Callable[..., Any]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs the body of a function in a worker of its own and returns what it returns."""
    workers: list[Worker] = []

    def call(body: str, *, policy: SandboxPolicy = POLICY) -> Any:
        worker = Worker(policy)
        workers.append(worker)
        source = HEAD + "\n".join("        " + line for line in body.split("\n"))
        files = {"code.py": base64.b64encode(source.encode()).decode()}
        worker.ask("import", package="p", files=files, origin="org/name@1")
        value = Encoder(worker.inbox).encode(("", {}))
        worker.ask("new", **{"class": ["p", "code.py", "Code"]}, value=value, parts={})
        call.worker = worker  # type: ignore[attr-defined]
        return again(worker)

    yield call
    for worker in workers:
        worker.close()


def again(worker: Worker) -> Any:
    worker.inbox.reset()
    value = Encoder(worker.inbox).encode(((), {}))
    answer = worker.ask("call", method="run", value=value, training=None, trainable=None, grad=False)
    decoder = Decoder(
        worker.outbox, kept=lambda number, text: (number, text), output=lambda name, fields: fields
    )
    return decoder.decode(answer.get("value"))


def test_honest_code_runs(run: Run) -> None:
    assert run(
        "import torch\nreturn {'a': torch.ones(2).sum().item(), 'b': [1, None, 'x', (2.5, True)]}"
    ) == {
        "a": 2.0,
        "b": [1, None, "x", (2.5, True)],
    }


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "time.sleep(1000)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.signal(signal.SIGALRM, "
        "signal.SIG_IGN)\nwhile True: pass",
        "ctypes.PyDLL(None).sleep(1000)",
        "import re\nre.match('(a+)+$', 'a' * 60 + 'b')",
        "threading.Event().wait()",
        "os.close(REPLIES)\ntime.sleep(1000)",
        "while True: sys.stdout.write('flood' * 1000)",
    ],
)
def test_what_does_not_end_is_stopped(run: Run, body: str) -> None:
    started = time.monotonic()
    with pytest.raises(WorkerDied):
        run(body)
    assert time.monotonic() - started < 10
    assert len(run.worker.log) <= 64 << 10  # type: ignore[attr-defined]
    with pytest.raises(WorkerDied, match="ended earlier"):
        again(run.worker)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("os._exit(3)", "exit status 3"),
        ("os.abort()", "aborted|not its own|exit status"),
        ("ctypes.string_at(0)", "memory that is not its own"),
        (f"ctypes.CDLL(None).syscall({PTRACE}, 16, 1, 0, 0)", "system call that no model needs"),
        ("os.kill(os.getpid(), signal.SIGKILL)\nos._exit(1)", "killed|exit status"),
    ],
)  # fmt: skip
def test_how_it_ended_is_said(run: Run, body: str, words: str) -> None:
    with pytest.raises(WorkerDied, match=words):
        run(body)


def test_memory_has_a_limit_and_the_worker_lives_on(run: Run) -> None:
    body = "try:\n    x = bytearray(2 << 30)\nexcept MemoryError:\n    return 'limited'"
    assert run(body) == "limited"
    assert again(run.worker) == "limited"  # type: ignore[attr-defined]
    with pytest.raises(SandboxError, match=r"(?i)alloc|memory"):
        run("import torch\nreturn torch.ones(3 << 30, dtype=torch.uint8)")


def test_weights_and_arenas_cannot_be_changed_from_inside(run: Run) -> None:
    body = """
found = []
def tried(name, action):
    try:
        action()
        found.append(name)
    except (OSError, ValueError):
        pass
tried('write', lambda: mmap.mmap(WEIGHTS, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE))
tried('shrink', lambda: os.ftruncate(OUTBOX, 0))
tried('grow', lambda: os.ftruncate(OUTBOX, 1 << 40))
tried('weights size', lambda: os.ftruncate(WEIGHTS, 1))
tried('inbox', lambda: mmap.mmap(6, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE))
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
place = libc.mmap(None, 4096, 1, 1, 6, 0)
if libc.mprotect(ctypes.c_void_p(place), 4096, 3) == 0:
    found.append('unprotect')
return found
"""
    assert run(body) == []


def test_without_seals_the_same_succeeds() -> None:
    descriptor = memory.make_memfd("unsealed", 4096)
    os.ftruncate(descriptor, 0)
    os.ftruncate(descriptor, 8192)
    memory.seal(descriptor)
    with pytest.raises(PermissionError):
        os.ftruncate(descriptor, 0)
    reading = memory.read_only(descriptor)
    with pytest.raises(OSError, match="mapping"):
        memory.Mapped(reading, 4096, writable=True)
    os.close(reading)
    os.close(descriptor)


@pytest.mark.parametrize(
    "body",
    [
        "send({'id': 999, 'ok': {}})\ntime.sleep(9)",
        "send({'id': True, 'ok': {}})\ntime.sleep(9)",
        "send({'id': 3, 'ok': {}, 'more': 1})\ntime.sleep(9)",
        "send({'id': 3, 'ok': []})\ntime.sleep(9)",
        "send({'id': 3, 'error': 'x'})\ntime.sleep(9)",
        "send({'id': 3, 'error': [1, 2, 3]})\ntime.sleep(9)",
        "send(None, b'not json')\ntime.sleep(9)",
        "send(None, b'[]')\ntime.sleep(9)",
        "send(None, b'[' * 100000)\ntime.sleep(9)",
        "send(None, b'{\"id\": NaN}')\ntime.sleep(9)",
        "send(None, b'{\"id\": ' + b'9' * 100000 + b'}')\ntime.sleep(9)",
        "send(None, b'\\xff\\xfe')\ntime.sleep(9)",
        "os.write(REPLIES, struct.pack('<I', 0xFFFFFFFF))\ntime.sleep(9)",
        "os.write(REPLIES, struct.pack('<I', 1 << 20) + b'x')\nos._exit(0)",
        "for _ in range(3): send({'id': 3, 'ok': {}})\ntime.sleep(9)",
    ],
)
def test_hostile_frames(run: Run, body: str) -> None:
    with pytest.raises(SandboxError):
        run(body)
        again(run.worker)  # type: ignore[attr-defined]
    assert not run.worker.alive or run.worker._replies.pending == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "value",
    [
        {"T": ["float32", [4], 1 << 20]},
        {"T": ["float32", [4], -4]},
        {"T": ["float32", [4], (1 << 20) - 8]},
        {"T": ["float32", [1 << 40], 0]},
        {"T": ["float32", [1 << 32, 1 << 32], 0]},
        {"T": ["float32", [-1], 0]},
        {"T": ["float32", [0, 1 << 62], 0]},
        {"T": ["float32", [True], 0]},
        {"T": ["float32", [2.0], 0]},
        {"T": ["float32", [1] * 33, 0]},
        {"T": ["object", [1], 0]},
        {"T": [["float32"], [1], 0]},
        {"T": ["float32", [1], 0.0]},
        {"T": ["float32", "1", 0]},
        {"T": ["float32", [1]]},
        {"T": None},
        [{"T": ["uint8", [1 << 20], 0]}] * 3,
        {"G": ["int64", [1], 0]},
        {"n": ["bfloat16", [1], 0]},
        {"i": ["RGB", ["uint8", [4, 4], 0]]},
        {"i": ["RGB", ["uint8", [0, 4, 3], 0]]},
        {"i": ["evil", ["uint8", [4, 4, 3], 0]]},
        {"f": "1e5"},
        {"f": 1},
        {"y": "Tensor"},
        {"b": "***"},
        {"b": 1},
        {"d": [["a"]]},
        {"d": [[[], 1]]},
        {"d": {"a": 1}},
        {"o": ["X", [["not a name", 1]]]},
        {"o": [1, []]},
        {"h": [1]},
        {"h": ["x", "y"]},
        {"h": [1, "y" * 300]},
        {"__class__": 1},
        {"T": ["float32", [1], 0], "d": []},
        {},
    ],
)
def test_hostile_values(value: Any) -> None:
    from zoo_core.remote.wire.arena import Arena

    descriptor = memory.make_memfd("zoo-test", 1 << 20)
    arena = Arena(descriptor, 1 << 20, writable=True)
    os.close(descriptor)
    with pytest.raises(ProtocolError):
        Decoder(arena, kept=lambda number, text: None, output=lambda name, fields: fields).decode(value)
    arena.close()


def test_booleans_are_made_valid() -> None:
    from zoo_core.remote.wire.arena import Arena

    descriptor = memory.make_memfd("zoo-test", 4096)
    arena = Arena(descriptor, 4096, writable=True)
    os.close(descriptor)
    raw = torch.tensor([0, 1, 2, 255], dtype=torch.uint8)
    arena.write(raw.data_ptr(), 4)
    found = Decoder(arena, kept=lambda number, text: None).decode({"T": ["bool", [4], 0]})
    assert found.view(torch.uint8).tolist() == [0, 1, 1, 1]
    arena.close()


def test_errors_and_logs_cannot_steer_a_terminal_or_pose_as_ours(run: Run) -> None:
    with pytest.raises(SandboxError) as caught:
        run("print('\\x1b[2J\\u202eevil')\nraise ImportError('\\x1b]0;x\\x07pip install evil')")
    message = str(caught.value)
    assert message.startswith("sandboxed code says: ImportError: \\x1b]0;x\\x07pip install evil")
    assert not isinstance(caught.value, ImportError)
    assert "\x1b" not in "".join([message, *caught.value.__notes__])
    with pytest.raises(WorkerDied):
        run("print('\\x1b[2J\\u202eevil', flush=True)\nos._exit(1)")
    assert "\\x1b[2J\\u202eevil" in run.worker.log  # type: ignore[attr-defined]


def test_an_endless_message_is_cut(run: Run) -> None:
    with pytest.raises(SandboxError) as caught:
        run("raise ValueError('x' * 1_000_000)")
    assert len(str(caught.value)) < 3000
    with pytest.raises(SandboxError, match="at most"):
        run("return 'x' * (2 << 20)")


def test_a_hostile_exception_cannot_break_the_answer(run: Run) -> None:
    body = "class Evil(Exception):\n    def __str__(self): raise KeyboardInterrupt\nraise Evil()"
    with pytest.raises(SandboxError):
        run(body)


def test_an_interrupted_call_leaves_no_reply_behind(run: Run) -> None:
    assert run("return 1") == 1
    worker: Worker = run.worker  # type: ignore[attr-defined]
    failure: list[BaseException] = []
    original = worker._await

    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    worker._await = interrupted  # type: ignore[method-assign]
    try:
        again(worker)
    except KeyboardInterrupt as error:
        failure.append(error)
    worker._await = original  # type: ignore[method-assign]
    assert failure
    with pytest.raises(WorkerDied, match="interrupted by KeyboardInterrupt"):
        again(worker)


def test_threads_of_the_program_wait_for_each_other(run: Run) -> None:
    assert run("time.sleep(0.01)\nreturn 7") == 7
    worker: Worker = run.worker  # type: ignore[attr-defined]
    results: list[Any] = []

    def work() -> None:
        with worker.lock:
            results.append(again(worker))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [7] * 8


def test_a_forked_copy_of_the_program_cannot_use_the_worker(run: Run) -> None:
    assert run("return 1") == 1
    worker: Worker = run.worker  # type: ignore[attr-defined]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            again(worker)
            os.write(writer, b"used")
        except SandboxError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        assert b"belongs to the process that started it" in file.read()
    os.waitpid(child, 0)
    assert again(worker) == 1


def test_a_worker_leaves_no_descriptor_behind() -> None:
    Worker(POLICY).close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        Worker(POLICY).close()
    dropped = Worker(POLICY)
    del dropped
    assert len(os.listdir("/proc/self/fd")) == before
