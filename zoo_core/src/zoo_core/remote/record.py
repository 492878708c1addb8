"""What was seen, and by whom approved, of one repository's code: the record behind trust on first use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self, cast

from zoo_core.errors import ConfigError
from zoo_core.remote.imports import ImportReport
from zoo_core.remote.sources import SourceBundle

Level = Literal["sandbox", "in_process"]
Approval = Literal["tofu", "user"]

_HASH = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_ENTRY = re.compile(r"[\x21-\x7e]{1,512}")
_FILE = re.compile(r"(?!/)(?:[A-Za-z_][A-Za-z0-9_]*/){0,9}[A-Za-z_][A-Za-z0-9_]*\.py")
_IMPORT = re.compile(r"[^\W\d]\w{0,127}")
_MAX_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class FileHash:
    """The SHA-256 and size in bytes of one source file."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRecord:
    """One repository whose code has run or was approved.

    ``repo`` asked for the code, ``code_repo`` holds it (the same, mostly). A commit is None for a local
    folder. ``entry`` maps Auto class names to the classes that served them. ``approved_by="tofu"`` is first
    use and allows the sandbox only.
    """

    repo: str
    commit: str | None
    code_repo: str
    code_commit: str | None
    files: Mapping[str, FileHash]
    entry: Mapping[str, str]
    imports: tuple[str, ...]
    level: Level = "sandbox"
    approved_by: Approval = "tofu"
    first_seen: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def key(self) -> tuple[str, str]:
        return self.repo, self.code_repo

    @classmethod
    def of(
        cls,
        bundle: SourceBundle,
        report: ImportReport,
        *,
        repo: str,
        commit: str | None,
        entry: Mapping[str, str],
    ) -> Self:
        """The record of ``bundle`` as it was read just now, on first use."""
        files = {name: FileHash(file.sha256, len(file.data)) for name, file in bundle.files.items()}
        return cls(
            repo=repo,
            commit=commit,
            code_repo=bundle.repo,
            code_commit=bundle.commit,
            files=files,
            entry=dict(entry),
            imports=report.all,
        )

    def merged(self, seen: TrustRecord) -> TrustRecord:
        """This record with the further files, entries and imports of ``seen``, and its commits."""
        return replace(
            self,
            commit=seen.commit,
            code_commit=seen.code_commit,
            files={**self.files, **seen.files},
            entry={**self.entry, **seen.entry},
            imports=tuple(sorted({*self.imports, *seen.imports})),
        )

    def to_json(self) -> dict[str, Any]:
        """The record as it stands in a file."""
        return {
            "repo": self.repo,
            "commit": self.commit,
            "code_repo": self.code_repo,
            "code_commit": self.code_commit,
            "files": {name: {"sha256": f.sha256, "size": f.size} for name, f in sorted(self.files.items())},
            "entry": dict(sorted(self.entry.items())),
            "imports": list(self.imports),
            "level": self.level,
            "approved_by": self.approved_by,
            "first_seen": self.first_seen,
        }

    @classmethod
    def from_json(cls, data: object, *, source: str) -> Self:
        """Read back :meth:`to_json`; every field is checked. Raises :class:`ConfigError`."""
        fields = _object(data, source)
        check = _Checker(source)
        files = {
            check.text(name, "files", _FILE): FileHash(
                check.text(_object(item, source).get("sha256"), f"files[{name!r}].sha256", _HASH),
                check.size(_object(item, source).get("size"), f"files[{name!r}].size"),
            )
            for name, item in _object(fields.get("files"), source).items()
        }
        entry = {
            check.text(name, "entry", _IMPORT): check.text(value, f"entry[{name!r}]", _ENTRY)
            for name, value in _object(fields.get("entry"), source).items()
        }
        imports = fields.get("imports")
        if not isinstance(imports, list) or len(imports) > _MAX_ITEMS:
            raise ConfigError(f"{source}: imports must be a list of package names")
        return cls(
            repo=check.name(fields.get("repo"), "repo"),
            commit=check.optional(fields.get("commit"), "commit"),
            code_repo=check.name(fields.get("code_repo"), "code_repo"),
            code_commit=check.optional(fields.get("code_commit"), "code_commit"),
            files=files,
            entry=entry,
            imports=tuple(sorted(check.text(name, "imports", _IMPORT) for name in imports)),
            level=cast("Level", check.choice(fields.get("level"), "level", ("sandbox", "in_process"))),
            approved_by=cast(
                "Approval", check.choice(fields.get("approved_by"), "approved_by", ("tofu", "user"))
            ),
            first_seen=check.text(fields.get("first_seen"), "first_seen", re.compile(r"[0-9T:+Z.-]{10,40}")),
        )


class _Checker:
    """Field checks whose errors name the file and the field."""

    def __init__(self, source: str) -> None:
        self._source = source

    def text(self, value: object, name: str, pattern: re.Pattern[str]) -> str:
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise ConfigError(
                f"{self._source}: {name} is {_short(value)}; expected to match {pattern.pattern}"
            )
        return value

    def name(self, value: object, name: str) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= 4096 or not value.isprintable():
            raise ConfigError(f"{self._source}: {name} is {_short(value)}; expected a repository or folder")
        return value

    def optional(self, value: object, name: str) -> str | None:
        return None if value is None else self.text(value, name, _COMMIT)

    def size(self, value: object, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 40:
            raise ConfigError(f"{self._source}: {name} is {_short(value)}; expected a size in bytes")
        return value

    def choice(self, value: object, name: str, choices: tuple[str, ...]) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ConfigError(f"{self._source}: {name} is {_short(value)}; expected {' or '.join(choices)}")
        return value


def _object(value: object, source: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > _MAX_ITEMS or not all(isinstance(k, str) for k in value):
        raise ConfigError(f"{source}: {_short(value)} stands where an object of names is expected")
    return value


def _short(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
