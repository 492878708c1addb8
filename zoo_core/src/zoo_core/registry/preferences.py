"""Which of several distributions serves a name: ``prefer``, ``ZOO_PREFER`` and ``ZOO_DISABLE``."""

from __future__ import annotations

import os
from collections.abc import Iterable

from zoo_core.errors import ArchitectureConflict
from zoo_core.registry.naming import plain
from zoo_core.registry.scan import Entry, canonical

PREFER_VARIABLE = "ZOO_PREFER"
DISABLE_VARIABLE = "ZOO_DISABLE"

_preferred: dict[str, str] = {}


def remember(name: str, distribution: str | None) -> None:
    """Store the user's choice for ``name``; ``None`` takes it back."""
    if distribution is None:
        _preferred.pop(plain(name), None)
    else:
        _preferred[plain(name)] = canonical(distribution)


def remembered() -> dict[str, str]:
    """A copy of all stored choices."""
    return dict(_preferred)


def restore(choices: dict[str, str]) -> None:
    """Make ``choices`` the only stored ones."""
    _preferred.clear()
    _preferred.update(choices)


def disabled() -> frozenset[str]:
    """The distributions that ``ZOO_DISABLE`` hides, in canonical spelling."""
    value = os.environ.get(DISABLE_VARIABLE, "")
    return frozenset(canonical(name) for name in value.split(",") if name.strip())


def preference(name: str) -> tuple[str, str] | None:
    """(distribution, where it was said) for ``name``; a call of ``prefer`` outranks the environment."""
    if (said := _preferred.get(plain(name))) is not None:
        return said, f"prefer({name!r}, {said!r})"
    for item in os.environ.get(PREFER_VARIABLE, "").split(","):
        if not item.strip():
            continue
        key, separator, distribution = (part.strip() for part in item.partition("="))
        if not (key and separator and distribution):
            raise ArchitectureConflict(
                f"{PREFER_VARIABLE} holds {item.strip()!r}; each item is NAME=DISTRIBUTION, "
                f"for example {PREFER_VARIABLE}=bert=my-dist,gpt2=other-dist."
            )
        if plain(key) == plain(name):
            return canonical(distribution), f"{PREFER_VARIABLE}={name}={distribution}"
    return None


def enabled(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """``entries`` less those of hidden distributions."""
    hidden = disabled()
    return tuple(entry for entry in entries if entry.provider.key not in hidden)


def choose(name: str, entries: Iterable[Entry]) -> Entry | None:
    """The entry that serves ``name``; None when there is none, ``ArchitectureConflict`` when in doubt."""
    candidates = enabled(entries)
    if not candidates:
        return None
    wish = preference(name)
    if wish is not None:
        for entry in candidates:
            if entry.provider.key == wish[0]:
                return entry
        raise ArchitectureConflict(
            f"{wish[1]} is set, but {wish[0]} does not provide {name!r}. Provided by: "
            f"{_listed(candidates)}. Install {wish[0]}, or take the preference back."
        )
    if len({entry.provider.key for entry in candidates}) > 1:
        raise conflict(name, candidates)
    return candidates[0]


def conflict(name: str, entries: Iterable[Entry]) -> ArchitectureConflict:
    """The error for ``name`` being provided by several distributions."""
    entries = tuple(entries)
    example = entries[-1].provider.name
    return ArchitectureConflict(
        f"{name!r} is provided by {len(entries)} installed distributions: {_listed(entries)}. None is "
        f'chosen silently. Say which: zoo_core.prefer("{name}", "{example}"), or set '
        f"{PREFER_VARIABLE}={name}={example} in the environment (also reaches spawned workers); "
        f"{DISABLE_VARIABLE}={example} hides a distribution altogether."
    )


def _listed(entries: Iterable[Entry]) -> str:
    return " and ".join(f"{entry.provider} ({entry.value})" for entry in entries)
