"""Code that ships in a model repository, run in a sandbox. See docs/remote-code.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo_core.remote.host.pickles import (
        convert_pickle as convert_pickle,
        read_pickle_in_sandbox as read_pickle_in_sandbox,
    )
    from zoo_core.remote.trust import LoadContext as LoadContext, SandboxPolicy as SandboxPolicy

__all__ = ["LoadContext", "SandboxPolicy", "convert_pickle", "read_pickle_in_sandbox"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = "trust" if name in ("LoadContext", "SandboxPolicy") else "host.pickles"
    return getattr(import_module(f"{__name__}.{home}"), name)
