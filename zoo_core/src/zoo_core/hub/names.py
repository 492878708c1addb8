"""Rules for names that come from users, files and servers, checked before any of them becomes a path."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from zoo_core.errors import InvalidRepositoryId, RevisionNotFound, UnsafePath

COMMIT = re.compile(r"[0-9a-f]{40}")
_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")
_MAX_ID = 96


def check_repository_id(name: str) -> None:
    """Raises InvalidRepositoryId, naming the rule, unless ``name`` is ``name`` or ``owner/name``."""
    rule = None
    segments = name.split("/")
    if len(segments) > 2 or not all(segments):
        rule = "an id is 'name' or 'owner/name'"
    elif not all(_SEGMENT.fullmatch(segment) for segment in segments):
        rule = "only letters, digits, '-', '_' and '.' are allowed"
    elif any(segment[0] in "-." or segment[-1] in "-." for segment in segments):
        rule = "neither part may begin or end with '-' or '.'"
    elif "--" in name or ".." in name:
        rule = "'--' and '..' are not allowed"
    elif name.endswith(".git"):
        rule = "it may not end with '.git'"
    elif len(name) > _MAX_ID:
        rule = f"it may have at most {_MAX_ID} characters, this one has {len(name)}"
    if rule is not None:
        raise InvalidRepositoryId(
            f"{name!r} is not a local file or folder (looked in {os.getcwd()}), and not a repository id "
            f"either: {rule}. Examples: 'google-bert/bert-base-uncased', './my-model'."
        )


def check_revision(revision: object) -> None:
    """Refuses what can be no git revision, before it becomes part of a path or a URL."""
    if not isinstance(revision, str):
        raise TypeError(f"revision must be a str, not {type(revision).__name__}")
    segments = revision.split("/")
    if not all(s and s != "." and ".." not in s for s in segments) or re.search(
        r"[\x00-\x20\x7f\\:?*\[~^]", revision
    ):
        raise RevisionNotFound(
            f"revision={revision!r} can be no branch, tag or commit: these hold no spaces, control "
            "characters, '..', ':' or '\\', and no empty part between slashes. Example: revision='main'."
        )


def relative_path(name: str, *, what: str = "file name") -> PurePosixPath:
    """``name`` as a path below its folder; UnsafePath when it is absolute or has ``..``."""
    rule = None
    windows = PureWindowsPath(name)
    if name.startswith("/") or windows.drive or windows.root:
        rule = "it is absolute"
    elif ".." in windows.parts:
        rule = "it has '..'"
    elif "\\" in name or "\0" in name:
        rule = "it has a backslash or NUL character"
    if rule is not None:
        raise UnsafePath(f"The {what} {name!r} leaves its folder or may do so: {rule}. Give a path below it.")
    return PurePosixPath(name)


def check_inside(path: Path, roots: Iterable[Path], *, owner: str) -> Path:
    """``path`` itself when it ends, links followed, below one of ``roots`` (real paths)."""
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(root) for root in roots):
        raise UnsafePath(
            f"{path} is a symbolic link to {real}, outside {owner}. Links may not leave the folder: "
            "put the file itself there, or load from the folder it lies in."
        )
    return path


def shortlist(names: Iterable[str], *, limit: int = 12) -> str:
    """A few names for a message: ``a, b, c and 4 more``."""
    ordered = sorted(names)
    rest = len(ordered) - limit
    return ", ".join(ordered[:limit]) + (f" and {rest} more" if rest > 0 else "")
