"""What installed distributions advertise, read from their metadata once per process.

``importlib.metadata.entry_points()`` parses every group of every distribution. Here only the
distributions whose ``entry_points.txt`` mentions zoo_core are parsed, and name and version are read from
``METADATA`` only when they are shown: with 1,000 plugins that costs less than the bare call.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import Distribution, distributions

from zoo_core.architecture import PLUGIN_API

PREFIX = "zoo_core."
ARCHITECTURES = "architectures"
COMPONENTS = "components"
EXTENSIONS = "extensions"

_GROUP = re.compile(r"zoo_core\.(architectures|components|extensions)\.v(\d+)")
_SEPARATORS = re.compile(r"[-_.]+")


def canonical(distribution: str) -> str:
    """The spelling under which distribution names are compared: ``Zoo_Text`` becomes ``zoo-text``."""
    return _SEPARATORS.sub("-", distribution.strip()).lower()


class Provider:
    """One installed distribution; its metadata is read when first asked for."""

    def __init__(self, key: str, source: Distribution) -> None:
        self.key = key
        self._source = source

    @cached_property
    def name(self) -> str:
        return str(self._source.metadata["Name"] or self.key)

    @cached_property
    def version(self) -> str:
        return str(self._source.metadata["Version"] or "(no version)")

    @cached_property
    def requires(self) -> tuple[str, ...]:
        """The ``Requires-Dist`` lines."""
        return tuple(self._source.requires or ())

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an ``entry_points.txt``, and the distribution it stands in."""

    name: str
    value: str
    provider: Provider
    api: int = PLUGIN_API


Table = Mapping[str, tuple[Entry, ...]]


@dataclass(frozen=True)
class Snapshot:
    """Everything advertised, by kind and name, in the order of ``sys.path``."""

    tables: Mapping[str, Table]
    other_api: Mapping[str, Table]
    providers: Mapping[str, Provider]
    unreadable: tuple[tuple[Provider, Exception], ...] = ()


@dataclass
class _Collector:
    tables: dict[str, dict[str, tuple[Entry, ...]]] = field(default_factory=dict)

    def add(self, kind: str, entry: Entry) -> None:
        table = self.tables.setdefault(kind, {})
        table[entry.name] = (*table.get(entry.name, ()), entry)


_lock = threading.Lock()
_snapshot: Snapshot | None = None


def current() -> Snapshot:
    """The snapshot of this process, taken on the first call."""
    global _snapshot
    if _snapshot is None:
        with _lock:
            if _snapshot is None:
                _snapshot = read()
    return _snapshot


def forget() -> None:
    """Drop the snapshot; the next use reads the metadata again, a package installed meanwhile included."""
    global _snapshot
    with _lock:
        importlib.invalidate_caches()
        _snapshot = None


def read() -> Snapshot:
    """Read the entry points of every distribution on ``sys.path``; the first of one name shadows the rest."""
    ours, others = _Collector(), _Collector()
    providers: dict[str, Provider] = {}
    unreadable: list[tuple[Provider, Exception]] = []
    seen: set[str] = set()
    for source in distributions():
        key = _key(source)
        if key in seen:
            continue
        seen.add(key)
        provider = Provider(key, source)
        try:
            text = source.read_text("entry_points.txt") or ""
        except (OSError, ValueError) as error:  # one damaged distribution must not hide the others
            unreadable.append((provider, error))
            continue
        if PREFIX not in text:
            continue
        for group, name, value in lines(text):
            if match := _GROUP.fullmatch(group):
                providers[key] = provider
                api = int(match[2])
                (ours if api == PLUGIN_API else others).add(match[1], Entry(name, value, provider, api))
    return Snapshot(ours.tables, others.tables, providers, tuple(unreadable))


def _key(source: Distribution) -> str:
    # entry_points() itself compares this attribute: it comes from the folder's name, without opening
    # METADATA. Where a finder's distributions lack it, the metadata is read.
    name = getattr(source, "_normalized_name", None) or source.metadata["Name"]
    return canonical(str(name or ""))


def lines(text: str) -> Iterator[tuple[str, str, str]]:
    """(group, name, value) of an ``entry_points.txt`` (packaging.python.org, entry points specification)."""
    group = ""
    for raw in text.splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            group = line.strip("[] ")
        elif group.startswith(PREFIX):
            name, _, value = line.partition("=")
            yield group, name.strip(), value.strip()
