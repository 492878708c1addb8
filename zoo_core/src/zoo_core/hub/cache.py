"""The client's download cache on disk, read without the client: a cached load imports no HTTP library.

Layout (documented by huggingface_hub): ``models--owner--name/{refs,blobs,snapshots,.no_exist}``. One folder
is added, ``.zoo``, with the file list of each commit seen: it says which files do not exist and how large
the others are, for ever, since a commit does not change.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from zoo_core.hub.names import COMMIT, check_inside

logger = logging.getLogger(__name__)

Listing = Mapping[str, int | None]
"""File name in the repository -> size in bytes, None where the hub did not say."""


class RepositoryCache:
    """The cached part of one repository."""

    def __init__(self, cache_dir: Path, repo_id: str, repo_type: str) -> None:
        self.cache_dir = cache_dir
        self.folder = cache_dir / "--".join([f"{repo_type}s", *repo_id.split("/")])

    def read_ref(self, revision: str) -> str | None:
        """The commit that a branch or tag was last seen at."""
        try:
            commit = (self.folder / "refs" / revision).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return commit if COMMIT.fullmatch(commit) else None

    def write_ref(self, revision: str, commit: str) -> None:
        if self.read_ref(revision) != commit:
            self._write(self.folder / "refs" / revision, commit)

    def refs(self) -> list[str]:
        """Branches and tags that a cached load can ask for."""
        folder = self.folder / "refs"
        return [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("[!.]*")) if p.is_file()]

    def has_snapshot(self, commit: str) -> bool:
        return (self.folder / "snapshots" / commit).is_dir()

    def snapshot_files(self, commit: str) -> list[str]:
        folder = self.folder / "snapshots" / commit
        return [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file()]

    def find(self, commit: str, name: PurePosixPath) -> Path | None:
        """The cached file; a link may point to this cache's blobs and nowhere else."""
        snapshot = self.folder / "snapshots" / commit
        path = snapshot / name
        if not path.is_file():
            return None
        real = Path(os.path.realpath(self.cache_dir))
        repository = real / self.folder.name
        # The client may keep blobs shared by several repositories in <cache>/blobs.
        roots = (repository / "snapshots" / commit, repository / "blobs", real / "blobs")
        return check_inside(path, roots, owner=f"the cache of this repository ({self.folder})")

    def known_absent(self, commit: str, name: PurePosixPath) -> bool:
        """Whether the hub once answered that this commit has no such file."""
        return (self.folder / ".no_exist" / commit / name).is_file()

    def read_listing(self, commit: str) -> Listing | None:
        path = self.folder / ".zoo" / f"{commit}.json"
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            logger.warning("Ignoring the damaged file list %s: %s", path, error)
            return None
        if not isinstance(value, dict) or not all(
            size is None or type(size) is int for size in value.values()
        ):
            logger.warning("Ignoring the damaged file list %s", path)
            return None
        return value

    def write_listing(self, commit: str, listing: Listing) -> None:
        self._write(self.folder / ".zoo" / f"{commit}.json", json.dumps(dict(sorted(listing.items()))))

    def _write(self, path: Path, text: str) -> None:
        """Atomically; a cache that cannot be written still serves what it has."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            try:
                temporary.write_text(text, encoding="utf-8")
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            logger.info("Could not write %s: %s", path, error)
