"""One commit of a repository on the hub, through the download cache."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path, PurePosixPath

from zoo_core.errors import FileNotInRepository, HubError, HubUnreachable, OfflineError
from zoo_core.hub import environment
from zoo_core.hub.cache import Listing, RepositoryCache
from zoo_core.hub.client import Client, CommitInfo
from zoo_core.hub.names import COMMIT, relative_path, shortlist
from zoo_core.hub.options import HubOptions


class Snapshot:
    """Files of the commit that ``options.revision`` names when first asked.

    Requests made: none for a cached file at a pinned commit, with ``local_files_only`` or offline; otherwise
    one in all for the commit and its list of files, and the client's own for each file not yet cached. After
    an outage the load goes on from the cache and asks no more.
    (Client 2.x also refreshes a list for its telemetry once a day, unless HF_HUB_DISABLE_TELEMETRY is set.)
    """

    def __init__(self, repo_id: str, options: HubOptions) -> None:
        self._repo_id = repo_id
        self._options = options
        self._prefix = relative_path(options.subfolder, what="subfolder")
        self._cache = RepositoryCache(environment.cache_folder(options.cache_dir), repo_id, options.repo_type)
        self._offline = options.local_files_only or environment.offline()
        self._outage: HubUnreachable | None = None
        self._fetched: set[PurePosixPath] = set()
        self._commit: str | None = None
        self._listing: Listing | None = None
        self._listing_asked = False
        self._lock = threading.RLock()
        if self._offline and options.force_download:
            raise OfflineError(f"force_download=True needs requests, and {self._forbidden_by} forbids them.")
        self._client = Client(
            endpoint=environment.endpoint(),
            repo_id=self._repo_id,
            repo_type=self._options.repo_type,
            cache_dir=str(self._cache.cache_dir),
            token=self._options.token,
            proxies=self._options.proxies,
        )

    @property
    def _may_ask(self) -> bool:
        return not self._offline and self._outage is None

    @property
    def _forbidden_by(self) -> str:
        if self._options.local_files_only:
            return "local_files_only=True"
        return "offline mode (HF_HUB_OFFLINE)"

    @property
    def commit(self) -> str:
        with self._lock:
            if self._commit is None:
                self._commit = self._resolve()
            return self._commit

    def _resolve(self) -> str:
        revision = self._options.revision
        if COMMIT.fullmatch(revision):
            return revision
        if self._offline:
            commit = self._cache.read_ref(revision)
            if commit is None:
                raise OfflineError(self._nothing_cached(revision))
            return commit
        try:
            return self._ask(revision).commit
        except HubUnreachable as error:
            commit = self._cache.read_ref(revision)
            if commit is None or self._options.force_download:
                raise HubUnreachable(f"{error} No copy from {self._cache.cache_dir} can stand in.") from error
            self._go_on_from_cache(error)
            return commit

    def _nothing_cached(self, revision: str) -> str:
        refs = self._cache.refs()
        held = f"the cache has it at {shortlist(refs)}" if refs else "the cache has nothing of it"
        return (
            f"{self._repo_id!r} at {revision!r} is not in the cache {self._cache.cache_dir}, and "
            f"{self._forbidden_by} forbids requests; {held}. Load it once online, or pass cache_dir=."
        )

    def _ask(self, revision: str) -> CommitInfo:
        info = self._client.commit_info(revision)
        self._listing_asked = True
        if COMMIT.fullmatch(revision) and info.commit != revision:
            raise HubError(
                f"{self._client.endpoint} answered commit {info.commit} when asked for {revision}."
            )
        if info.files is not None:
            self._listing = info.files
            self._cache.write_listing(info.commit, info.files)
        return info

    def _go_on_from_cache(self, error: HubUnreachable) -> None:
        self._outage = error
        warnings.warn(
            f"{self._client.endpoint} is unreachable: {self._repo_id!r} is loaded from the cache as it was "
            f"last seen at {self._options.revision!r}, and may be out of date.",
            stacklevel=2,
        )

    def _known_files(self, *, ask: bool = True) -> Listing | None:
        """The commit's files with sizes; None when no list is cached and none can be had."""
        with self._lock:
            commit = self.commit
            if self._listing is None:
                self._listing = self._cache.read_listing(commit)
            if self._listing is None and ask and self._may_ask and not self._listing_asked:
                try:
                    self._ask(commit)
                except HubUnreachable as error:
                    if not self._cache.has_snapshot(commit):
                        raise
                    self._go_on_from_cache(error)
            return self._listing

    def find(self, filename: str) -> Path | None:
        name = self._prefix / relative_path(filename)
        commit = self.commit
        refetch = self._options.force_download and name not in self._fetched
        damaged = False
        if not refetch:
            found = self._cache.find(commit, name)
            if found is not None:
                damaged = not self._size_fits(found, name)
                if not damaged:
                    self._remember_commit()
                    return found
            elif self._cache.known_absent(commit, name):
                return None
        listing = self._known_files()
        if listing is not None and str(name) not in listing:
            return None
        if not self._may_ask:
            self._check_absence(name, listing)
            return None
        return self._download(commit, name, force=refetch or damaged)

    def _size_fits(self, path: Path, name: PurePosixPath) -> bool:
        """Whether a cached file is whole, as far as a file list tells without a request."""
        expected = (self._known_files(ask=False) or {}).get(str(name))
        actual = path.stat().st_size
        if expected is None or actual == expected:
            return True
        message = f"The cached {path} has {actual:,} bytes, the hub lists {expected:,}: it is damaged"
        if not self._may_ask:
            raise HubError(
                f"{message}, and no request may be made. Load once online with force_download=True."
            )
        warnings.warn(f"{message} and is fetched again.", stacklevel=2)
        return False

    def _check_absence(self, name: PurePosixPath, listing: Listing | None) -> None:
        """Raises unless the cache alone can tell that the commit has no such file."""
        # A snapshot that another tool filled has no list: what it holds counts as what there is.
        if listing is None and self._cache.has_snapshot(self.commit):
            return
        message = (
            f"{str(name)!r} of {self._repo_id!r} at {self.commit} is not in the cache {self._cache.cache_dir}"
        )
        if self._outage is not None:
            raise HubUnreachable(f"{message}, and {self._client.endpoint} is unreachable.") from self._outage
        raise OfflineError(f"{message}, and {self._forbidden_by} forbids requests. Load it once online.")

    def _download(self, commit: str, name: PurePosixPath, *, force: bool) -> Path | None:
        try:
            path = self._client.download(str(name), commit=commit, force=force)
        except FileNotInRepository:
            if self._known_files(ask=False) is not None:
                raise  # listed and not served: not an absence to pass over
            return None
        expected = (self._known_files(ask=False) or {}).get(str(name))
        if expected is not None and path.stat().st_size != expected:
            raise HubError(
                f"{str(name)!r} of {self._repo_id!r} arrived with {path.stat().st_size:,} bytes, the hub "
                f"lists {expected:,}. Try again with force_download=True."
            )
        self._fetched.add(name)
        self._remember_commit()
        return self._cache.find(commit, name) or path

    def _remember_commit(self) -> None:
        # Only once a file of the commit is cached: an interrupted load must not hide an older whole one.
        if self._may_ask and not COMMIT.fullmatch(self._options.revision):
            self._cache.write_ref(self._options.revision, self.commit)

    def path(self, filename: str) -> Path:
        found = self.find(filename)
        if found is None:
            inside = shortlist(self._held()) or "nothing"
            raise FileNotInRepository(
                f"{self._repo_id!r} at {self._options.revision!r} has no file "
                f"{str(self._prefix / filename)!r}. It holds: {inside}."
            )
        return found

    def files(self) -> list[str]:
        if self._known_files() is None and not self._cache.has_snapshot(self.commit):
            raise OfflineError(self._nothing_cached(self._options.revision))
        return sorted(self._held())

    def _held(self) -> list[str]:
        listing = self._known_files(ask=False)
        names = self._cache.snapshot_files(self.commit) if listing is None else list(listing)
        if self._prefix == PurePosixPath():
            return names
        below = f"{self._prefix}/"
        return [name.removeprefix(below) for name in names if name.startswith(below)]
