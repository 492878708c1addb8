"""Everything that is advertised, for ``zoo list``, ``zoo doctor``, the live docs and ``prefer``."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from zoo_core.errors import ArchitectureConflict, RegistryError
from zoo_core.registry import (
    compatibility,
    components,
    messages,
    naming,
    preferences,
    records,
    references,
    runtime,
    scan,
)
from zoo_core.registry.scan import Entry, Provider


class Provided(NamedTuple):
    """Who provides a name, and the ``module:object`` that stands in the entry point."""

    distribution: str
    version: str
    value: str


class Row(NamedTuple):
    """One line of the table of an Auto class; ``error`` says why a record could not be read."""

    references: tuple[str, ...]
    distribution: str
    version: str
    error: str = ""


class Problem(NamedTuple):
    """Something that ``zoo doctor`` reports; ``kind`` is "conflict", "broken", "version" or "setting"."""

    kind: str
    name: str
    distribution: str
    message: str


def providers(kind: str = scan.ARCHITECTURES) -> dict[str, list[Provided]]:
    """Name to all distributions that advertise it, for one kind of entry; nothing is imported.

    ``kind`` is "architectures" (model types), "components" (class names) or "extensions"
    ("model_type.AutoClass"). Distributions hidden by ``ZOO_DISABLE`` are left out.
    """
    table = records.advertised(kind)
    found = {name: [_provided(entry) for entry in preferences.enabled(table[name])] for name in sorted(table)}
    return {name: provided for name, provided in found.items() if provided}


def distributions() -> dict[str, str]:
    """Name to version of every installed distribution that advertises something, hidden ones left out."""
    hidden = preferences.disabled()
    known = (item for item in scan.current().providers.values() if item.key not in hidden)
    return {item.name: item.version for item in sorted(known, key=lambda item: item.key)}


def prefer(name: str, distribution: str | None) -> None:
    """Let ``distribution`` serve ``name`` in this process; ``None`` takes the choice back.

    ``name`` is a model_type ("bert"), a class name found in JSON files ("BertTokenizer"), or a model
    type and an Auto class ("bert.AutoModelForMaskedLM") where an extension offers what another
    distribution offers too. ``ZOO_PREFER=bert=my-dist,...`` says the same and also reaches spawned
    workers. Raises ``ArchitectureConflict`` when the distribution does not provide the name.
    """
    if distribution is not None:
        offered = {item.key: item for item in _offering(name)}
        if scan.canonical(distribution) not in offered:
            raise ArchitectureConflict(
                f"prefer({name!r}, {distribution!r}): {distribution} does not provide {name!r}. "
                f"Provided by: {', '.join(map(str, offered.values())) or 'no installed distribution'}."
            )
    preferences.remember(name, distribution)


def auto_classes() -> list[str]:
    """The name of every Auto class that something serves, those of plugins included, sorted.

    Reads all records (strings only, no model code); broken ones are passed over here and shown by
    ``problems``.
    """
    found = {*runtime.auto_classes()}
    for model_type in records.names():
        try:
            found.update(records.get(model_type).auto_classes())
        except RegistryError:
            continue
    return sorted(found)


def table(auto_class: str) -> dict[str, Row]:
    """model_type to what ``auto_class`` builds for it; a bad record has its ``error`` shown."""
    rows = {}
    for model_type in records.names():
        try:
            row = _row(model_type, auto_class)
        except RegistryError as error:
            row = _error_row(model_type, error)
        if row is not None:
            rows[model_type] = row
    for config, registered in runtime.registrations(auto_class):
        model_type = str(getattr(config, "model_type", "") or config.__name__)
        reference = f"{registered.__module__}:{registered.__qualname__}"
        rows[model_type] = Row((reference,), runtime.DISTRIBUTION, runtime.VERSION)
    return rows


def problems() -> list[Problem]:
    """All that is wrong with what is installed: conflicts, broken records, versions, settings."""
    return [*_snapshot_problems(), *_conflicts(), *_record_problems(), *_setting_problems()]


def _row(model_type: str, auto_class: str) -> Row | None:
    config = runtime.config_class(model_type)
    if config is not None:
        if auto_class != "AutoConfig":
            return None
        return Row((f"{config.__module__}:{config.__qualname__}",), runtime.DISTRIBUTION, runtime.VERSION)
    found = records.get(model_type).candidates(auto_class)
    if not found:
        return None
    return Row(tuple(item.reference for item in found), found[0].distribution, found[0].version)


def _error_row(model_type: str, error: RegistryError) -> Row:
    entries = preferences.enabled(records.advertised(scan.ARCHITECTURES).get(model_type, ()))
    names = " or ".join(dict.fromkeys(entry.provider.name for entry in entries))
    version = entries[0].provider.version if len(entries) == 1 else ""
    return Row((), names, version, str(error))


def _provided(entry: Entry) -> Provided:
    return Provided(entry.provider.name, entry.provider.version, entry.value)


def _offering(name: str) -> list[Provider]:
    tables = scan.current().tables.values()
    entries = [
        entry
        for spelling in naming.twins(name)
        for entries_of in tables
        for entry in preferences.enabled(entries_of.get(spelling, ()))
    ]
    model_type, _, auto_class = name.rpartition(".")
    if auto_class and model_type:  # an extension is preferred to its base, or the base to it
        entries += preferences.enabled(records.advertised(scan.ARCHITECTURES).get(model_type, ()))
    return [entry.provider for entry in entries]


def _snapshot_problems() -> list[Problem]:
    snapshot = scan.current()
    found = [
        Problem("broken", "", provider.key, f"{provider.key}: its entry_points.txt cannot be read: {error}")
        for provider, error in snapshot.unreadable
    ]
    for kind, table_of in snapshot.other_api.items():
        for name in sorted(set(table_of) - set(snapshot.tables.get(kind, {}))):
            if error := messages.other_api(kind, (name,)):
                found.append(Problem("version", name, error.distribution, str(error)))
    for provider in snapshot.providers.values():
        try:
            compatibility.check(provider)
        except RegistryError as error:
            found.append(Problem("version", "", provider.name, str(error)))
    return found


def _conflicts() -> list[Problem]:
    choices: dict[str, Callable[[str], object]] = {
        scan.ARCHITECTURES: lambda name: preferences.choose(
            name, records.advertised(scan.ARCHITECTURES)[name]
        ),
        scan.COMPONENTS: lambda name: preferences.choose(name, components.entries_of(name)),
        scan.EXTENSIONS: _extended,
    }
    found = []
    for kind, choose in choices.items():
        for name in providers(kind):
            try:
                choose(name)
            except ArchitectureConflict as error:
                who = ", ".join(provider.name for provider in _offering(name))
                found.append(Problem("conflict", name, who, str(error)))
            except RegistryError:  # reported with the records
                continue
    return found


def _extended(name: str) -> object:
    model_type, _, auto_class = name.rpartition(".")
    return model_type in records.names() and records.get(model_type).candidates(auto_class)


def _record_problems() -> list[Problem]:
    found = []
    for name, entries in sorted(records.advertised(scan.ARCHITECTURES).items()):
        for entry in preferences.enabled(entries):
            if compatibility.incompatible(entry.provider) is not None:
                continue
            try:
                records.read(entry)
            except RegistryError as error:
                found.append(Problem("broken", name, entry.provider.name, str(error)))
    for kind in (scan.COMPONENTS, scan.EXTENSIONS):
        for name, entries in sorted(records.advertised(kind).items()):
            for entry in preferences.enabled(entries):
                if fault := _entry_fault(kind, name, entry):
                    found.append(Problem("broken", name, entry.provider.name, f"{entry.provider} {fault}"))
    return found


def _entry_fault(kind: str, name: str, entry: Entry) -> str | None:
    try:
        references.parse(entry.value)
    except ValueError as error:
        return f"advertises {name!r}: {error}."
    if kind == scan.EXTENSIONS:
        model_type, _, auto_class = name.rpartition(".")
        if not model_type or auto_class in records.FIELDS:
            return (
                f"extends {name!r}: the name must be 'model_type.AutoClass' with the Auto class of a model; "
                f"configs, tokenizers and processors come with their architecture."
            )
    return None


def _setting_problems() -> list[Problem]:
    known = scan.current().providers
    return [
        Problem(
            "setting", name, name, f"{preferences.DISABLE_VARIABLE} names {name}, which advertises nothing"
        )
        for name in sorted(preferences.disabled())
        if name not in known
    ]
