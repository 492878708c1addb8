"""The source files behind one class of a repository: read once, checked, hashed and closed over imports.

The bytes read here are the bytes that run: they go to the worker as they are, so that nothing can change
between the check and the use.
"""

from __future__ import annotations

import ast
import hashlib
import io
import os
import stat
import threading
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from zoo_core.errors import FileNotInRepository, UntrustedCode

MAX_FILE_BYTES = 2 << 20
MAX_FILES = 200
MAX_TOTAL_BYTES = 16 << 20

ReadFile = Callable[[str], bytes]
"""Gives the bytes of a file of the repository; raises ``FileNotFoundError`` when it is not there."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file as it was read: its bytes are what is hashed, shown and run."""

    name: str
    data: bytes
    tree: ast.Module = field(compare=False, repr=False)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class SourceBundle:
    """The files that one entry module needs, by name inside the repository, at one commit.

    ``commit`` is None for a local folder; ``pin``, which names the content of all its code, or the
    :attr:`digest` of the files read then stands for it.
    """

    repo: str
    commit: str | None
    entry: str
    files: Mapping[str, SourceFile]
    pin: str | None = None

    @property
    def digest(self) -> str:
        """40 hexadecimal digits that name the content: equal exactly when all names and bytes are."""
        return digest_of({name: file.sha256 for name, file in self.files.items()})

    @property
    def revision(self) -> str:
        """The commit, or what stands for that of a local folder."""
        return self.commit or self.pin or self.digest


def digest_of(hashes: Mapping[str, str]) -> str:
    """40 hexadecimal digits that name files by their names and SHA-256."""
    lines = sorted(f"{sha256} {name}" for name, sha256 in hashes.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:40]


def folder_reader(folder: Path) -> ReadFile:
    """A reader of one local folder, which refuses names and links that leave it."""
    root = folder.resolve(strict=True)

    def read(name: str) -> bytes:
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise UntrustedCode(f"{name!r} of {folder} leads to {path}, outside of the folder")
        return read_regular_file(path, limit=MAX_FILE_BYTES)

    return read


def read_regular_file(path: Path, *, limit: int) -> bytes:
    """The bytes of a regular file in one read; never waits on a pipe or device, never exceeds ``limit``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UntrustedCode(f"{path} is not a regular file; source code must be one")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UntrustedCode(f"{path} is larger than {limit:,} bytes, the limit for one file of remote code")
    return data


def read_bundle(read: ReadFile, entry: str, *, repo: str, commit: str | None) -> SourceBundle:
    """Read ``entry`` and every file that it reaches by relative imports, each exactly once.

    The ``__init__.py`` of every sub-folder on the way belongs to it. Raises :class:`UntrustedCode` for files
    that cannot be shown truthfully (other encodings, NUL bytes), cannot be parsed, are too large or too many,
    and for relative imports that lead to no file.
    """
    closure = _Closure(read, repo, entry)
    closure.add(entry)
    return SourceBundle(repo, commit, entry, MappingProxyType(dict(sorted(closure.files.items()))))


#: CPython 3.11 counts the depth of a parse per process, so that two threads at once can fail
_PARSING = threading.Lock()


def parse_source(name: str, data: bytes, *, repo: str) -> SourceFile:
    """Check and parse one file. What a reviewer sees must be what Python runs: UTF-8 only, no NUL."""
    where = f"{repo}: {name}"
    if len(data) > MAX_FILE_BYTES:
        raise UntrustedCode(f"{where} is larger than {MAX_FILE_BYTES:,} bytes")
    if b"\0" in data:
        raise UntrustedCode(f"{where} contains NUL bytes")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        if encoding not in ("utf-8", "utf-8-sig"):
            raise UntrustedCode(f"{where} declares the encoding {encoding!r}; only UTF-8 source is run")
        with _PARSING:
            tree = ast.parse(data, filename=name)
    except UntrustedCode:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UntrustedCode(f"{where} is not Python source that can be read: {error}") from error
    return SourceFile(name, data, tree)


class _Closure:
    """Follows relative imports from file to file."""

    def __init__(self, read: ReadFile, repo: str, entry: str) -> None:
        self.files: dict[str, SourceFile] = {}
        self._read = read
        self._repo = repo
        self._entry = entry
        self._absent: set[str] = set()
        self._total = 0

    def add(self, entry: str) -> None:
        """Read ``entry`` and all that it reaches."""
        self.files[entry] = self._file(entry, self._read(entry))
        waiting = [entry]
        while waiting:
            name = waiting.pop()
            reached = self._packages(name)
            for node in ast.walk(self.files[name].tree):
                if isinstance(node, ast.ImportFrom) and node.level:
                    reached += self._targets(name, node)
            waiting += reached

    def _file(self, name: str, data: bytes) -> SourceFile:
        if len(self.files) >= MAX_FILES:
            raise UntrustedCode(f"{self._repo}: {self._entry} reaches more than {MAX_FILES} files")
        self._total += len(data)
        if self._total > MAX_TOTAL_BYTES:
            raise UntrustedCode(
                f"{self._repo}: {self._entry} reaches more than {MAX_TOTAL_BYTES:,} bytes of code"
            )
        return parse_source(name, data, repo=self._repo)

    def _find(self, name: str) -> tuple[bool, list[str]]:
        """Whether the repository has ``name``, and a list of it when it was read just now."""
        if name in self.files:
            return True, []
        if name in self._absent:
            return False, []
        try:
            data = self._read(name)
        except (FileNotFoundError, FileNotInRepository, NotADirectoryError):
            self._absent.add(name)
            return False, []
        self.files[name] = self._file(name, data)
        return True, [name]

    def _packages(self, name: str) -> list[str]:
        """The ``__init__.py`` of the folders around ``name``, below the root."""
        folders = name.split("/")[:-1]
        new: list[str] = []
        for depth in range(1, len(folders) + 1):
            new += self._find("/".join([*folders[:depth], "__init__.py"]))[1]
        return new

    def _targets(self, importer: str, node: ast.ImportFrom) -> list[str]:
        """The files, not read before, that one relative import leads to."""
        package = importer.split("/")[:-1]
        where = f"{self._repo}: {importer} line {node.lineno}"
        climb = node.level - 1
        if climb > len(package):
            raise UntrustedCode(f"{where}: the relative import leaves the repository")
        module = package[: len(package) - climb] + (node.module.split(".") if node.module else [])
        if node.module:
            found, new = self._find("/".join(module) + ".py")
            if found:
                return new
        found, new = self._find("/".join([*module, "__init__.py"]))
        missing = []
        for alias in node.names:
            parts = [*module, alias.name]
            as_module, first = self._find("/".join(parts) + ".py")
            as_package, second = (True, []) if as_module else self._find("/".join([*parts, "__init__.py"]))
            new += first + second
            if not as_module and not as_package:
                missing.append(alias.name)
        if missing and not found:
            spelled = "." * node.level + (node.module or "")
            raise UntrustedCode(
                f"{where}: 'from {spelled} import {', '.join(missing)}' leads to no file of the repository"
            )
        return new
