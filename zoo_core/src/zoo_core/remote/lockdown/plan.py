"""Locking a process down, in the one order that works, and refusing to go on when a layer fails."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from zoo_core.remote.lockdown import landlock, namespaces, privileges, seccomp


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The layers of the lock-down. Production turns on all that the platform has; tests remove one."""

    namespaces: bool = True
    landlock: bool = True
    seccomp: bool = True
    limits: bool = True
    capabilities: bool = True

    @classmethod
    def none(cls) -> Self:
        """No protection at all: the control run, which shows that an attack is real."""
        return cls(namespaces=False, landlock=False, seccomp=False, limits=False, capabilities=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one worker keeps: readable paths, listable folders, bytes of memory, seconds of CPU.

    ``readable`` are paths without links (:func:`namespaces.outermost`).
    ``memory`` is private, ``shared`` is the size of the areas that it shares with its parent.
    """

    readable: tuple[str, ...]
    listable: tuple[str, ...] = ()
    memory: int = 16 << 30
    shared: int = 8 << 30
    processor_seconds: int = 7 * 24 * 3600
    layers: Layers = field(default_factory=Layers)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The plan that the trusted parent sent."""
        plain: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        plain["layers"] = Layers(**data["layers"])
        return cls(**plain)


def lock_down(plan: Plan) -> None:
    """Give up everything that ``plan`` does not keep. Raises ``OSError`` when any layer fails.

    The process must have exactly one thread, as Landlock binds only the thread that asks, and must be in its
    new namespaces already (:func:`namespaces.fork`) when the plan has them.
    """
    threads = privileges.thread_count()
    if threads != 1:
        raise OSError(f"the process has {threads} threads before the lock-down; it must have one")
    space, data = privileges.address_space_in_use()
    layers = plan.layers
    if layers.namespaces:
        namespaces.enter_private_root(plan.readable)
    if layers.limits:
        privileges.limit_resources(
            address_space=space + plan.memory + plan.shared,
            data=data + plan.memory,
            files=64,
            processor_seconds=plan.processor_seconds,
        )
    if layers.capabilities:
        privileges.forbid_dumps()
        privileges.drop_capabilities()
    if layers.landlock or layers.seccomp:
        privileges.forbid_new_privileges()
    if layers.landlock:
        landlock.restrict(plan.readable, plan.listable)
    if layers.seccomp:
        seccomp.install(os.getpid())
