"""How well this platform can isolate: asked of the kernel, never guessed from its version."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from zoo_core.errors import SandboxUnavailable
from zoo_core.remote.lockdown import landlock, namespaces, seccomp
from zoo_core.remote.lockdown.plan import Layers

Tier = Literal["A+", "A", "B", "none"]


@dataclass(frozen=True, slots=True)
class Facilities:
    """What the kernel grants an ordinary process: the version of Landlock (0: none), seccomp filters, and
    the reason why namespaces do not work (empty: they do)."""

    landlock: int
    seccomp: bool
    namespace_error: str

    @property
    def tier(self) -> Tier:
        """A+: Landlock, seccomp and namespaces; A: without namespaces; B: without Landlock."""
        if not self.seccomp:
            return "none"
        if self.landlock:
            return "A" if self.namespace_error else "A+"
        return "none" if self.namespace_error else "B"

    def layers(self, *, namespaces: bool | None = None) -> Layers:
        """The layers to use. Raises :class:`SandboxUnavailable` where they would not confine."""
        if self.tier == "none" or (namespaces is False and not self.landlock):
            raise SandboxUnavailable(self.complaint())
        if namespaces and self.namespace_error:
            raise SandboxUnavailable(
                f"SandboxPolicy(namespaces=True), but namespaces do not work here: {self.namespace_error}"
            )
        return Layers(
            namespaces=namespaces is not False and not self.namespace_error, landlock=bool(self.landlock)
        )

    def complaint(self) -> str:
        """Why code cannot be confined here, and what to do about it."""
        missing = []
        if not self.seccomp:
            missing.append("seccomp filters (CONFIG_SECCOMP_FILTER, on x86_64 or aarch64)")
        if not self.landlock:
            missing.append("Landlock (Linux 5.13 or newer, 'landlock' in /sys/kernel/security/lsm)")
        if self.namespace_error:
            missing.append(f"user namespaces ({self.namespace_error})")
        advice = {
            "darwin": "Run in a Linux virtual machine or container",
            "win32": "Run under WSL2",
        }.get(sys.platform, "Use a kernel or container profile that has seccomp and Landlock")
        return (
            f"remote code cannot be confined on this platform; missing: {'; '.join(missing)}. {advice}, "
            "use an architecture that an installed package provides, or, for code that you have read, "
            "approve it (zoo trust approve REPO --in-process) and pass sandbox=False with "
            "code_revision=<commit>."
        )

    def describe(self) -> str:
        """One line for ``zoo doctor``."""
        parts = [
            f"Landlock ABI {self.landlock}" if self.landlock else "no Landlock",
            "seccomp" if self.seccomp else "no seccomp",
            f"no namespaces ({self.namespace_error})" if self.namespace_error else "namespaces",
        ]
        return f"tier {self.tier} ({', '.join(parts)})"

    def to_json(self) -> dict[str, Any]:
        return {"landlock": self.landlock, "seccomp": self.seccomp, "namespace_error": self.namespace_error}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Facilities:
        return cls(int(data["landlock"]), bool(data["seccomp"]), str(data["namespace_error"]))


def probe_by_forking() -> Facilities:
    """Ask the kernel, trying namespaces in a child. Only for a process with one thread."""
    if not sys.platform.startswith("linux"):
        return Facilities(0, False, f"{sys.platform} has none")
    return Facilities(landlock.abi(), seccomp.available(), _try_namespaces())


def probe() -> Facilities:
    """Ask the kernel from a process of its own, so that any program may ask, with any threads."""
    if not sys.platform.startswith("linux"):
        return Facilities(0, False, f"{sys.platform} has none")
    code = (
        "import sys, json; sys.path[:] = json.loads(sys.argv[1]);"
        "from zoo_core.remote.lockdown.tiers import probe_by_forking;"
        "print(json.dumps(probe_by_forking().to_json()))"
    )
    answer = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code, json.dumps(sys.path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if answer.returncode:
        return Facilities(
            landlock.abi(), seccomp.available(), f"probe failed: {answer.stderr.strip()[-200:]}"
        )
    return Facilities.from_json(json.loads(answer.stdout))


def _try_namespaces() -> str:
    """Why namespaces with a private root do not work; empty when they do."""
    reader, writer = os.pipe()
    user, group = os.geteuid(), os.getegid()
    try:
        child = namespaces.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        return str(error)
    if child == 0:
        message = "unexpected failure"
        try:
            namespaces.map_user(user, group)
            namespaces.enter_private_root(["/usr/lib"])
            message = "the old root can still be seen" if os.path.exists("/etc/passwd") else ""
        except OSError as error:
            message = str(error)
        finally:
            os.write(writer, message.encode()[:500])
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:
        answer = file.read().decode()
    os.waitpid(child, 0)
    return answer
