"""What a worker may read: Python itself, installed packages, system libraries, and the files it is given."""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from functools import cache
from pathlib import Path

from zoo_core.remote.lockdown.namespaces import outermost

_SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache")
_PACKAGES = ("zoo_core", "zoo_text", "zoo_vision", "zoo_audio", "zoo_multimodal")


@cache
def search_path() -> tuple[str, ...]:
    """The part of ``sys.path`` that holds Python and installed packages: not the user's own folders."""
    standard = {os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    ours = {str(folder.parent) for folder in _own_packages()}
    kept: list[str] = []
    for entry in sys.path:
        real = os.path.realpath(entry) if entry else ""
        installed = os.path.basename(entry) in ("site-packages", "dist-packages")
        inside = any(real == folder or real.startswith(folder + os.sep) for folder in standard)
        if entry and os.path.isdir(entry) and (installed or inside or entry in ours or real in ours):
            kept.append(entry)
    return tuple(dict.fromkeys(kept))


@cache
def readable_paths() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders to read in full, and folders of which only the list of names is needed."""
    ours = _own_packages()
    listed = {str(folder.parent) for folder in ours}
    full = [entry for entry in search_path() if entry not in listed]
    full += [str(folder) for folder in ours if str(folder.parent) in listed]
    full += [sysconfig.get_path("stdlib"), *(path for path in _SYSTEM if os.path.exists(path))]
    installed = {name for name in full if os.path.basename(name) in ("site-packages", "dist-packages")}
    return tuple(outermost(full)), tuple(sorted(listed - installed))


def _own_packages() -> list[Path]:
    """The folders of the zoo's packages, which an editable installation keeps outside of site-packages."""
    found = []
    for name in _PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            found.append(Path(os.path.realpath(spec.origin)).parent)
    return found
