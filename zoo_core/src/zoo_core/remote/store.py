"""Where trust records live: the user's own file, and a project's lock file for version control.

The user's folder is ``$ZOO_TRUST_HOME``, else ``$XDG_CONFIG_HOME/zoo``, else ``~/.config/zoo``. It holds
``trust.json`` (mode 0600, replaced atomically) and the source files that records speak of, by hash, so that
a change can be shown line by line. A project's ``zoo-trust.lock`` stands in the working folder, or where
``$ZOO_TRUST_LOCK`` says; it can only demand that code match it, never grant more than the user did.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo_core.errors import ConfigError
from zoo_core.remote.record import TrustRecord
from zoo_core.remote.sources import SourceBundle

try:
    import fcntl
except ImportError:  # Windows: two processes that write at once may lose one first use, nothing else
    fcntl = None  # type: ignore[assignment]

LOCK_NAME = "zoo-trust.lock"
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Records:
    """The contents of a record file: accepted records, and those that were refused and await a decision."""

    accepted: Mapping[tuple[str, str], TrustRecord]
    pending: Mapping[tuple[str, str], TrustRecord]

    def to_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "records": [record.to_json() for _, record in sorted(self.accepted.items())],
            "pending": [record.to_json() for _, record in sorted(self.pending.items())],
        }


def parse_records(text: str | bytes, *, source: str) -> Records:
    """Read a record file. Raises :class:`ConfigError` that names the file and what is wrong in it."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{source}: not JSON ({error}); restore it or remove it to start afresh") from error
    if not isinstance(data, dict) or data.get("version") != 1 or isinstance(data["version"], bool):
        raise ConfigError(f"{source}: not a trust record file of version 1")
    groups: list[dict[tuple[str, str], TrustRecord]] = []
    for name in ("records", "pending"):
        items = data.get(name, [])
        if not isinstance(items, list):
            raise ConfigError(f"{source}: {name!r} must be a list")
        records = [TrustRecord.from_json(x, source=f"{source}: {name}[{i}]") for i, x in enumerate(items)]
        groups.append({record.key: record for record in records})
        if len(groups[-1]) != len(records):
            raise ConfigError(f"{source}: {name!r} lists one repository twice")
    return Records(*groups)


class TrustStore:
    """The user's records. Cheap to make: the file is read at each question, so processes agree."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = home if home is not None else default_home()
        self.path = self.home / "trust.json"

    def read(self) -> Records:
        """All records. Raises :class:`ConfigError` when others could have written the file."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return Records({}, {})
        if os.name == "posix" and (status.st_mode & 0o022 or status.st_uid not in (os.getuid(), 0)):
            raise ConfigError(
                f"{self.path} can be written by others (mode {stat.S_IMODE(status.st_mode):o}, owner "
                f"{status.st_uid}); check its contents, then: chmod 600 {self.path}"
            )
        if status.st_size > _MAX_BYTES:
            raise ConfigError(f"{self.path} has {status.st_size:,} bytes; at most {_MAX_BYTES:,} are read")
        return parse_records(self.path.read_bytes(), source=str(self.path))

    def get(self, repo: str, code_repo: str) -> TrustRecord | None:
        """The accepted record of ``repo`` for code of ``code_repo``."""
        return self.read().accepted.get((repo, code_repo))

    def accept(self, record: TrustRecord, bundle: SourceBundle | None = None) -> None:
        """Write ``record`` as accepted; a pending one for the same repository is settled by it."""
        if bundle is not None:
            self.keep_sources(bundle)
        with self._locked():
            records = self.read()
            pending = {key: value for key, value in records.pending.items() if key != record.key}
            self._write(Records({**records.accepted, record.key: record}, pending))

    def refuse(self, record: TrustRecord, bundle: SourceBundle) -> None:
        """Keep what was refused, so that it can be shown and approved exactly as it was."""
        self.keep_sources(bundle)
        with self._locked():
            records = self.read()
            self._write(replace(records, pending={**records.pending, record.key: record}))

    def revoke(self, repo: str) -> int:
        """Forget every record of ``repo``; returns how many there were."""
        with self._locked():
            old = self.read()
            accepted = {key: value for key, value in old.accepted.items() if key[0] != repo}
            pending = {key: value for key, value in old.pending.items() if key[0] != repo}
            removed = len(old.accepted) + len(old.pending) - len(accepted) - len(pending)
            if removed:
                self._write(Records(accepted, pending))
            return removed

    def keep_sources(self, bundle: SourceBundle) -> None:
        """Keep the files of ``bundle`` by hash, for later comparison. They are never run from here."""
        folder = self.home / "sources"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in bundle.files.values():
            path = folder / file.sha256
            if not path.exists():
                write_atomically(path, file.data)

    def source(self, sha256: str) -> str | None:
        """The kept text of a file with this hash; None when it is not kept or was altered."""
        try:
            data = (self.home / "sources" / sha256).read_bytes()
        except OSError:
            return None
        return data.decode("utf-8", "replace") if hashlib.sha256(data).hexdigest() == sha256 else None

    def _write(self, records: Records) -> None:
        write_atomically(self.path, (json.dumps(records.to_json(), indent=1) + "\n").encode())

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.home / ".lock", "a") as file:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def project_records() -> tuple[Path, Records] | None:
    """The lock file of the project in the working folder, if it has one."""
    path = Path(os.environ.get("ZOO_TRUST_LOCK") or LOCK_NAME)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path} is larger than {_MAX_BYTES:,} bytes")
        return path, parse_records(path.read_bytes(), source=str(path))
    except FileNotFoundError:
        return None


def write_project_records(path: Path, records: Iterable[TrustRecord]) -> None:
    """Write ``records`` into a project's lock file, beside those it has."""
    old = parse_records(path.read_bytes(), source=str(path)).accepted if path.exists() else {}
    merged = Records({**old, **{record.key: record for record in records}}, {})
    write_atomically(path, (json.dumps(merged.to_json(), indent=1) + "\n").encode(), mode=0o644)


def default_home() -> Path:
    """The folder of the user's records."""
    explicit = os.environ.get("ZOO_TRUST_HOME")
    if explicit:
        return Path(explicit)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "zoo"


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace ``path`` by ``data`` in one step: readers see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
