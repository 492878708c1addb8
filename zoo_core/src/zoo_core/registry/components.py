"""Classes by the name that JSON files give them: tokenizers, processors, feature extractors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.registry import compatibility, messages, naming, preferences, references, runtime, scan
from zoo_core.registry.scan import Entry, canonical

CORE: Mapping[str, str] = {
    "PreTrainedTokenizerFast": "zoo_core.tokenization:PreTrainedTokenizerFast",
    "PreTrainedTokenizer": "zoo_core.tokenization:PreTrainedTokenizerFast",
}
"""Generic names that stand in files and that zoo-core itself serves."""


def component(class_name: str, *, package: str | None = None) -> type[Any]:
    """The class called ``class_name`` in a JSON file; only what installed packages advertise is found.

    ``package`` is the distribution that serves the checkpoint's model_type: what it provides under this
    name comes first. Raises ``UnknownComponent``, ``ArchitectureConflict``, ``PluginLoadError`` or
    ``PluginVersionError``.
    """
    if not isinstance(class_name, str):
        raise messages.unknown_component(class_name, ())
    if class_name in CORE:
        return references.load(CORE[class_name], distribution="zoo-core")
    entries = entries_of(class_name)
    own = [entry for entry in entries if package and entry.provider.key == canonical(package)]
    entry = own[0] if own else preferences.choose(class_name, entries)
    if entry is not None:
        compatibility.check(entry.provider)
        return references.load(entry.value, distribution=entry.provider.name)
    spellings = naming.twins(class_name)
    for name in spellings:
        if (registered := runtime.named(name)) is not None:
            return registered
    raise messages.other_api(scan.COMPONENTS, spellings) or messages.unknown_component(
        class_name, component_names()
    )


def component_names() -> list[str]:
    """Every advertised class name, sorted; nothing is imported."""
    table = scan.current().tables.get(scan.COMPONENTS, {})
    return sorted({*CORE, *(name for name, entries in table.items() if preferences.enabled(entries))})


def entries_of(class_name: str) -> tuple[Entry, ...]:
    """One entry for each distribution that provides the name or its twin, the exact spelling first."""
    table = scan.current().tables.get(scan.COMPONENTS, {})
    by_provider: dict[str, Entry] = {}
    for name in naming.twins(class_name):
        for entry in preferences.enabled(table.get(name, ())):
            by_provider.setdefault(entry.provider.key, entry)
    return tuple(by_provider.values())
