"""What the caller of one load grants to code of a repository. Never read from a file.

The grant is a frozen value passed from call to call beside the config, never inside it, so that no JSON
file can raise it, also not the nested config of a nested model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Self

COMMIT = re.compile(r"[0-9a-f]{40}")
"""A revision that cannot move: the full hash of a commit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxPolicy:
    """Limits of the worker process that runs code of a repository.

    ``deadline`` bounds one call, ``start_deadline`` building the object, both in seconds. ``memory`` is what
    the worker may allocate for itself beyond the weights, ``arena`` what one call may send or return, both in
    bytes. ``threads`` is the number of compute threads (None: as many as the host process uses).
    ``allow_imports`` names packages beyond the usual ones that the code may import. ``namespaces=None`` uses
    them where they work, True insists, False goes without.
    """

    deadline: float = 600.0
    start_deadline: float = 300.0
    memory: int = 16 << 30
    arena: int = 4 << 30
    threads: int | None = None
    allow_imports: tuple[str, ...] = ()
    namespaces: bool | None = None

    def __post_init__(self) -> None:
        for name in ("deadline", "start_deadline", "memory", "arena"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise ValueError(f"SandboxPolicy({name}={value!r}): must be a positive, finite number")
        if self.threads is not None and not 1 <= self.threads <= 1024:
            raise ValueError(f"SandboxPolicy(threads={self.threads!r}): must be 1 to 1024, or None")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadContext:
    """The trust one caller grants to one load, and to the loads nested in it.

    ``trust_remote_code=False``: no code of a repository runs. True: it runs in a sandbox. ``sandbox=False``
    asks for full privileges in this process, which needs a pinned commit and a record that the user approved.
    ``prefer_remote_code`` takes the repository's code although a native class exists.
    """

    trust_remote_code: bool = False
    sandbox: bool | SandboxPolicy = True
    code_revision: str | None = None
    prefer_remote_code: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.trust_remote_code, bool):
            raise TypeError(f"trust_remote_code={self.trust_remote_code!r}: must be True or False")
        if not isinstance(self.sandbox, bool | SandboxPolicy):
            raise TypeError(f"sandbox={self.sandbox!r}: must be True, False or a SandboxPolicy")
        if self.code_revision is not None and not isinstance(self.code_revision, str):
            raise TypeError(f"code_revision={self.code_revision!r}: must be a string or None")

    @property
    def policy(self) -> SandboxPolicy:
        """The limits in force; the defaults unless the caller gave a policy."""
        return self.sandbox if isinstance(self.sandbox, SandboxPolicy) else SandboxPolicy()

    @property
    def in_process(self) -> bool:
        """Whether the caller asked for full privileges in this process."""
        return self.sandbox is False

    def without_remote_code(self) -> Self:
        """The same context with nothing granted, for a load that the code itself asks for."""
        return replace(self, trust_remote_code=False)

    @classmethod
    def pop_from(cls, kwargs: dict[str, Any]) -> Self:
        """Take the caller's ``trust_remote_code``, ``sandbox``, ``code_revision`` and ``prefer_remote_code``.

        ``trust_remote_code=None`` means False, as ever.
        """
        trust = kwargs.pop("trust_remote_code", None)
        sandbox = kwargs.pop("sandbox", True)
        return cls(
            trust_remote_code=False if trust is None else trust,
            sandbox=True if sandbox is None else sandbox,
            code_revision=kwargs.pop("code_revision", None),
            prefer_remote_code=bool(kwargs.pop("prefer_remote_code", False)),
        )


NOTHING = LoadContext()
"""The context of a load that grants nothing."""

FORBIDDEN_KEYS = frozenset(
    {"trust_remote_code", "code_revision", "sandbox", "prefer_remote_code", "attn_implementation"}
)


def authority_free(data: Any) -> Any:
    """``data`` of a JSON file without the keys by which a file could claim authority, at every depth.

    Dropped are the names of the caller's own switches and every key that begins with an underscore.
    """
    if isinstance(data, dict):
        return {
            key: authority_free(value)
            for key, value in data.items()
            if not (isinstance(key, str) and (key in FORBIDDEN_KEYS or key.startswith("_")))
        }
    if isinstance(data, list):
        return [authority_free(item) for item in data]
    return data
