"""The files of one load, wherever they are."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from zoo_core.errors import FileNotInRepository, RepositoryNotFound
from zoo_core.hub.json_files import MAX_JSON_BYTES, read_json_file
from zoo_core.hub.local import LocalFolder, SingleFile
from zoo_core.hub.names import check_repository_id, shortlist
from zoo_core.hub.options import HubOptions

_PARALLEL_DOWNLOADS = 8


class _Source(Protocol):
    @property
    def commit(self) -> str | None: ...
    def find(self, filename: str) -> Path | None: ...
    def path(self, filename: str) -> Path: ...
    def files(self) -> list[str]: ...


class Repository:
    """A local folder, a local file, a URL of a file, or a repository on the hub; one object per load.

    The revision is resolved once: every file comes from the same commit, whatever is pushed meanwhile. File
    names are relative to ``options.subfolder``, with ``/`` between parts; names and links that leave the
    folder raise UnsafePath. Methods may be called from several threads.

    Raises InvalidRepositoryId or RepositoryNotFound for a name that is neither a path nor an id; other
    HubErrors when a file is first asked for: nothing is requested before that, except for a URL.
    """

    def __init__(self, name_or_path: str | os.PathLike[str], *, options: HubOptions | None = None) -> None:
        self.name = os.fspath(name_or_path)
        self.options = options or HubOptions()
        self._source = _source(name_or_path, self.options)

    def __repr__(self) -> str:
        return f"Repository({self.name!r}, revision={self.options.revision!r})"

    @property
    def is_local(self) -> bool:
        """Whether the files are there already: a folder, a file, or a URL fetched when this was made."""
        return isinstance(self._source, LocalFolder | SingleFile)

    @property
    def single_file(self) -> Path | None:
        """The file, when the name was that of one file rather than of a folder or repository."""
        return self._source.file if isinstance(self._source, SingleFile) else None

    @property
    def commit(self) -> str | None:
        """Commit id on the hub, resolved at the first use; None for local files."""
        return self._source.commit

    def path(self, filename: str) -> Path:
        """The file on disk, downloaded if need be.

        Raises FileNotInRepository when there is none; HubUnreachable, OfflineError, GatedRepository,
        RepositoryNotFound or RevisionNotFound when it cannot be had; UnsafePath for a name that leaves.
        """
        return self._source.path(filename)

    def find(self, filename: str) -> Path | None:
        """As ``path``, but None when the file is certainly not there."""
        return self._source.find(filename)

    def find_first(self, filenames: Iterable[str]) -> Path | None:
        """The first of ``filenames`` that exists."""
        return next((found for name in filenames if (found := self.find(name)) is not None), None)

    def paths(self, filenames: Iterable[str]) -> list[Path]:
        """Several files, downloaded in parallel, in the order given; all missing ones are named at once."""
        names = list(filenames)
        if self.is_local or len(names) < 2:
            found = [self.find(name) for name in names]
        else:
            found = self._download(names)
        missing = [name for name, path in zip(names, found, strict=True) if path is None]
        if missing:
            raise FileNotInRepository(
                f"{self.name!r} lacks {len(missing)} of {len(names)} files asked for: {shortlist(missing)}. "
                f"It holds: {shortlist(self.files()) or 'nothing'}."
            )
        return [path for path in found if path is not None]

    def _download(self, names: list[str]) -> list[Path | None]:
        first = self.find(names[0])  # resolves the commit and its files before the threads need them
        from concurrent.futures import ThreadPoolExecutor  # milliseconds, for downloads only

        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            rest = [pool.submit(self.find, name) for name in names[1:]]
            try:
                if not sys.stderr.isatty():
                    return [first, *(future.result() for future in rest)]
                from tqdm import tqdm

                bar = tqdm(
                    rest, initial=1, total=len(names), desc=f"Files of {self.name}", unit="file", leave=False
                )
                return [first, *(future.result() for future in bar)]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def files(self) -> list[str]:
        """Every file name, sorted: of the commit (one request at most), or below the local folder."""
        return self._source.files()

    def read_json(self, filename: str, *, max_bytes: int = MAX_JSON_BYTES) -> dict[str, Any]:
        """The JSON object in a file; MalformedFile (a ConfigError) when it holds anything else."""
        return read_json_file(self.path(filename), name=f"{filename} of {self.name}", max_bytes=max_bytes)


def _source(name_or_path: str | os.PathLike[str], options: HubOptions) -> _Source:
    name = os.fspath(name_or_path)
    if name.startswith(("http://", "https://")):
        return SingleFile(_from_url(name, options))
    local = Path(os.path.expanduser(name))
    if name and os.path.isdir(local):
        return LocalFolder(local, options.subfolder)
    if name and os.path.isfile(local):
        return SingleFile(local)
    if not isinstance(name_or_path, str) or _looks_like_a_path(name):
        raise RepositoryNotFound(
            f"There is no folder or file {name!r} (looked for {local.absolute()}). For a repository on the "
            "hub, pass its id as a str, 'owner/name'."
        )
    check_repository_id(name)
    from zoo_core.hub.snapshot import Snapshot

    return Snapshot(name, options)


def _looks_like_a_path(name: str) -> bool:
    return (
        name.startswith(("/", "./", "../", "~")) or name.endswith("/") or "\\" in name or name in (".", "..")
    )


def _from_url(url: str, options: HubOptions) -> Path:
    from zoo_core.hub.snapshot import Snapshot
    from zoo_core.hub.url import fetch, hub_file

    parts = hub_file(url)
    if parts is None:
        return fetch(url, options)
    repo_id, revision, filename = parts
    check_repository_id(repo_id)
    return Snapshot(repo_id, dataclasses.replace(options, revision=revision, subfolder="")).path(filename)
