"""The filter program on both machines, the order of the lock-down, the tiers."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zoo_core.errors import SandboxUnavailable
from zoo_core.remote.host.process import Worker
from zoo_core.remote.host.zygote import Zygote, zygote
from zoo_core.remote.lockdown import seccomp, syscalls
from zoo_core.remote.lockdown.landlock import ruleset_attributes
from zoo_core.remote.lockdown.plan import Plan, lock_down
from zoo_core.remote.lockdown.syscalls import MACHINES, Machine
from zoo_core.remote.lockdown.tiers import Facilities
from zoo_core.remote.trust import SandboxPolicy

PID = 4242
PERMITTED, KILLED = "permitted", "killed"


def verdict(machine: Machine, number: int, *arguments: int, arch: int | None = None) -> str:
    """What the filter says of one call, by interpreting the program as the kernel does."""
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    arch = seccomp.AUDIT_ARCH[machine] if arch is None else arch
    data = struct.pack("=IIQ6Q", number, arch, 0, *(a & (1 << 64) - 1 for a in padded))
    program = seccomp.assemble(machine, PID)
    accumulator, place = 0, 0
    while True:
        code, true, false, operand = program[place]
        place += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, operand)[0]
        elif code == 0x06:
            if operand == seccomp.ALLOW:
                return PERMITTED
            return KILLED if operand == seccomp.KILL else errno.errorcode[operand & 0xFFFF]
        else:
            taken = {
                0x15: accumulator == operand,
                0x35: accumulator >= operand,
                0x45: bool(accumulator & operand),
            }[code]
            place += true if taken else false


def named(machine: Machine, name: str, *arguments: int) -> str:
    number = syscalls.number(name, machine)
    assert number is not None
    return verdict(machine, number, *arguments)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", (), PERMITTED),
        ("futex", (), PERMITTED),
        ("openat", (-100, 0, os.O_RDONLY | os.O_CLOEXEC), PERMITTED),
        ("openat", (-100, 0, os.O_WRONLY), "EPERM"),
        ("openat", (-100, 0, os.O_RDWR), "EPERM"),
        ("openat", (-100, 0, os.O_CREAT), "EPERM"),
        ("openat", (-100, 0, 0o20000000), "EPERM"),
        ("openat", (-100, 0, 0o10000000), "EPERM"),
        ("openat", (-100, 0, os.O_TRUNC), "EPERM"),
        ("openat2", (), "ENOSYS"),
        ("clone3", (), "ENOSYS"),
        ("clone", (0x3D0F00,), PERMITTED),
        ("clone", (17,), "EPERM"),
        ("clone", (0x3D0F00 | 0x10000000,), "EPERM"),
        ("clone", (0x3D0F00 | 0x00020000,), "EPERM"),
        ("clone", (0x00000100 | 0x00000800,), "EPERM"),
        ("ioctl", (1, 0x5401), PERMITTED),
        ("ioctl", (1, 0x5412), "EPERM"),
        ("ioctl", (1, 0xAE01), "EPERM"),
        ("fcntl", (1, 3), PERMITTED),
        ("fcntl", (1, 1033), "EPERM"),
        ("fcntl", (1, 8), "EPERM"),
        ("prctl", (15,), PERMITTED),
        ("prctl", (4,), "EPERM"),
        ("prctl", (22,), "EPERM"),
        ("prlimit64", (0, 7, 0), PERMITTED),
        ("prlimit64", (0, 7, 1 << 40), "EPERM"),
        ("prlimit64", (1 << 33, 7, 0), "EPERM"),
        ("prlimit64", (PID, 7, 0), "EPERM"),
        ("kill", (PID, 6), PERMITTED),
        ("kill", (1, 9), "EPERM"),
        ("kill", (-1, 9), "EPERM"),
        ("tgkill", (PID, PID, 6), PERMITTED),
        ("tgkill", (1, 1, 6), "EPERM"),
        ("mmap", (0, 4096, 3, 0x22), PERMITTED),
        ("mmap", (0, 4096, 3, 0x01), PERMITTED),
        ("mmap", (0, 4096, 3, 0x21), "EPERM"),
        ("mmap", (0, 4096, 3, 0x23), "EPERM"),
        ("ptrace", (), KILLED),
        ("bpf", (), KILLED),
        ("io_uring_setup", (), KILLED),
        ("unshare", (), KILLED),
        ("mount", (), KILLED),
        ("seccomp", (), KILLED),
    ],
)
def test_filter(machine: Machine, name: str, arguments: tuple[int, ...], expected: str) -> None:
    assert named(machine, name, *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_other_instruction_sets_and_unknown_calls(machine: Machine) -> None:
    read = syscalls.number("read", machine)
    assert read is not None
    assert verdict(machine, read, arch=0x40000003) == KILLED
    assert verdict(machine, read, arch=seccomp.AUDIT_ARCH[MACHINES[1 - MACHINES.index(machine)]]) == KILLED
    if machine == "x86_64":
        assert verdict(machine, read | 0x40000000) == KILLED
    socket_call, execve = {"x86_64": (41, 59), "aarch64": (198, 221)}[machine]
    assert verdict(machine, socket_call) == verdict(machine, execve) == verdict(machine, 4000) == "EPERM"


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_is_named_once_in_a_short_program(machine: Machine) -> None:
    program = seccomp.assemble(machine, PID)
    numbers = [operand for code, _, _, operand in program if code == 0x15 and operand < 600]
    assert len(program) < 4096
    assert all(0 <= true < 256 and 0 <= false < 256 for _, true, false, _ in program)
    assert len(numbers) > 80


def test_numbers_are_those_of_the_kernels_headers() -> None:
    compiled = subprocess.run(
        ["cc", "-E", "-dM", "-x", "c", "-"],
        input="#include <sys/syscall.h>\n",
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in compiled.stdout.splitlines() if line.startswith("#define __NR_")]
    known = {name.removeprefix("__NR_"): value for _, name, value in (x for x in lines if len(x) == 3)}
    here = syscalls.this_machine()
    assert here is not None
    compared = {name: known[name] for name in syscalls._NUMBERS if name in known}
    assert len(compared) > 100
    assert {n: str(syscalls.number(n, here)) for n in compared} == compared


@pytest.mark.parametrize(
    ("version", "length", "files"),
    [(1, 8, 13), (2, 8, 14), (3, 8, 15), (4, 16, 15), (5, 16, 16), (7, 24, 16)],
)
def test_landlock_attributes_follow_the_version(version: int, length: int, files: int) -> None:
    attributes = ruleset_attributes(version)
    assert len(attributes) == length
    assert int.from_bytes(attributes[:8], "little").bit_length() == files


def test_more_than_one_thread_is_refused() -> None:
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        with pytest.raises(OSError, match="threads before the lock-down"):
            lock_down(Plan(readable=()))
    finally:
        release.set()
        thread.join()


def test_a_layer_that_fails_ends_the_worker() -> None:
    code = (
        "import sys; sys.path[:] = sys.argv[1:]\n"
        "from zoo_core.remote.lockdown import landlock, plan\n"
        "landlock.abi = lambda: 0\n"
        "try: plan.lock_down(plan.Plan(readable=(), layers=plan.Layers(namespaces=False)))\n"
        "except OSError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, *sys.path], capture_output=True, text=True, check=True
    )
    assert "Landlock is not available" in done.stdout


def status_of_newest_child(parent: int) -> dict[str, str]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    text = Path(f"/proc/{children[-1]}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def test_what_the_kernel_says_of_a_worker() -> None:
    worker = Worker(SandboxPolicy(arena=1 << 20))
    try:
        status = status_of_newest_child(zygote().pid)
        assert status["Seccomp"] == "2"
        assert status["NoNewPrivs"] == "1"
        assert [status[name] for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")] == ["0" * 16] * 4
        assert zygote().threads == 1
    finally:
        worker.close()


@pytest.mark.parametrize(
    ("landlock", "filters", "namespace_error", "tier"),
    [
        (7, True, "", "A+"),
        (1, True, "EPERM", "A"),
        (0, True, "", "B"),
        (0, True, "x", "none"),
        (7, False, "", "none"),
    ],
)
def test_tiers(landlock: int, filters: bool, namespace_error: str, tier: str) -> None:
    here = Facilities(landlock, filters, namespace_error)
    assert here.tier == tier
    assert f"tier {tier}" in here.describe()
    if tier == "none":
        with pytest.raises(SandboxUnavailable, match=r"missing: .*code_revision"):
            here.layers()
    else:
        layers = here.layers()
        assert (layers.landlock, layers.namespaces, layers.seccomp) == (
            landlock > 0,
            not namespace_error,
            True,
        )
    if namespace_error and tier != "none":
        with pytest.raises(SandboxUnavailable, match="namespaces do not work"):
            here.layers(namespaces=True)


def test_no_silent_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    source = zygote()
    monkeypatch.setattr(source, "facilities", Facilities(0, True, "EPERM"))
    with pytest.raises(SandboxUnavailable, match="Landlock"):
        Worker(SandboxPolicy(), source=source)


def test_zygote_starts_clean_and_ends_with_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_SECRET_TOKEN", "hf_secret")
    own = Zygote()
    worker = Worker(SandboxPolicy(arena=1 << 20), source=own)
    environment = Path(f"/proc/{own.pid}/environ").read_bytes()
    assert b"ZOO_SECRET_TOKEN" not in environment
    child = int(Path(f"/proc/{own.pid}/task/{own.pid}/children").read_text().split()[-1])
    own.close()
    assert gone(child)
    worker.close()


def gone(pid: int) -> bool:
    """Whether the process ends within seconds."""
    for _ in range(500):
        try:
            if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
                return True
        except OSError:
            return True
        threading.Event().wait(0.01)
    return False


def test_a_zygote_outlives_the_thread_that_started_it() -> None:
    started: list[Zygote] = []
    thread = threading.Thread(target=lambda: started.append(Zygote()))
    thread.start()
    thread.join()
    threading.Event().wait(0.2)
    (own,) = started
    try:
        worker = Worker(SandboxPolicy(arena=1 << 20), source=own)
        assert worker.ask("ping") == {}
        worker.close()
    finally:
        own.close()


def test_nothing_outlives_a_program_that_is_killed() -> None:
    code = (
        "import sys; sys.path[:] = sys.argv[1:]\n"
        "from zoo_core.remote.host.process import Worker\n"
        "from zoo_core.remote.host.zygote import zygote\n"
        "from zoo_core.remote.trust import SandboxPolicy\n"
        "worker = Worker(SandboxPolicy(arena=1 << 20))\n"
        "pid = zygote().pid\n"
        "print(pid, *open(f'/proc/{pid}/task/{pid}/children').read().split(), flush=True)\n"
        "import time; time.sleep(600)\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, *sys.path], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    pids = [int(text) for text in program.stdout.readline().split()]
    assert len(pids) == 2
    program.kill()
    program.wait()
    program.stdout.close()
    assert all(gone(pid) for pid in pids)
