"""Files that are already on this machine: a folder, or one file."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from zoo_core.errors import FileNotInRepository, RepositoryNotFound
from zoo_core.hub.names import check_inside, relative_path, shortlist


class LocalFolder:
    """A folder written by ``save_pretrained``, a clone, or a snapshot in the download cache."""

    commit = None

    def __init__(self, folder: Path, subfolder: str = "") -> None:
        self._folder = folder
        self._base = folder / relative_path(subfolder, what="subfolder")
        real = Path(os.path.realpath(folder))
        self._roots = [real]
        if real.parent.name == "snapshots":  # the cache's layout: its files are links to blobs
            self._roots += [real.parent.parent / "blobs", real.parent.parent.parent / "blobs"]
        if not self._base.is_dir():
            inside = shortlist(self._entries(folder)) or "nothing"
            raise RepositoryNotFound(f"{folder} has no subfolder {subfolder!r}. It holds: {inside}.")
        check_inside(self._base, self._roots, owner=str(folder))

    def find(self, filename: str) -> Path | None:
        path = self._base / relative_path(filename)
        return check_inside(path, self._roots, owner=str(self._folder)) if path.is_file() else None

    def path(self, filename: str) -> Path:
        found = self.find(filename)
        if found is None:
            inside = shortlist(self._entries(self._base)) or "nothing: it is empty"
            raise FileNotInRepository(
                f"There is no {filename!r} in the folder {self._base}. It holds: {inside}."
            )
        return found

    def files(self) -> list[str]:
        found: list[str] = []
        for folder, folders, names in os.walk(self._base):
            folders[:] = [name for name in folders if not name.startswith(".")]
            below = Path(folder).relative_to(self._base).as_posix()
            found += [str(PurePosixPath(below) / name) for name in names]
        return sorted(found)

    @staticmethod
    def _entries(folder: Path) -> list[str]:
        return [entry.name + ("/" if entry.is_dir() else "") for entry in os.scandir(folder)]


class SingleFile:
    """One file given by its own path or URL; it answers to its own name alone."""

    commit = None

    def __init__(self, file: Path) -> None:
        self.file = file

    def find(self, filename: str) -> Path | None:
        return self.file if str(relative_path(filename)) == self.file.name else None

    def path(self, filename: str) -> Path:
        found = self.find(filename)
        if found is None:
            raise FileNotInRepository(f"{filename!r} was asked for, and only the file {self.file} was given.")
        return found

    def files(self) -> list[str]:
        return [self.file.name]
