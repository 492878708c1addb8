"""From a ``model_type`` to the checked record of the one distribution that serves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo_core.architecture import Architecture
from zoo_core.registry import compatibility, messages, preferences, references, runtime, scan, validation
from zoo_core.registry.scan import Entry, Table

FIELDS: Mapping[str, str] = {
    "AutoConfig": "config",
    "AutoTokenizer": "tokenizer",
    "AutoImageProcessor": "image_processor",
    "AutoFeatureExtractor": "feature_extractor",
    "AutoVideoProcessor": "video_processor",
    "AutoProcessor": "processor",
}
"""The Auto classes that are served by a field of the record; all others are keys of ``models``."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A class that serves an Auto class, not yet imported, and the distribution it comes from."""

    reference: str
    distribution: str
    version: str

    def load(self) -> type[Any]:
        """Import the class; ``PluginLoadError`` names the distribution on failure."""
        return references.load(self.reference, distribution=self.distribution)


@dataclass(frozen=True, slots=True)
class Resolved:
    """The record of a ``model_type`` and the distribution that serves it."""

    architecture: Architecture
    distribution: str
    version: str

    def candidates(self, auto_class: str) -> tuple[Candidate, ...]:
        """What ``auto_class`` may build for this type, default first; empty when nothing serves it.

        All come from this record's distribution, or all from one extension. Raises
        ``ArchitectureConflict`` when both, or two extensions, offer the pair and no preference decides.
        """
        own = tuple(
            Candidate(reference, self.distribution, self.version)
            for reference in references_of(self.architecture, auto_class)
        )
        extension = _extension(self, auto_class, own)
        return own if extension is None else (extension,)

    def auto_classes(self) -> tuple[str, ...]:
        """The names of all Auto classes that serve this type, extensions included; nothing is imported."""
        own = [name for name in FIELDS if references_of(self.architecture, name)]
        own += self.architecture.models
        prefix = f"{self.architecture.model_type}."
        own += [
            name.removeprefix(prefix)
            for name, entries in advertised(scan.EXTENSIONS).items()
            if name.startswith(prefix)
            and "." not in name.removeprefix(prefix)
            and preferences.enabled(entries)
        ]
        return tuple(dict.fromkeys(own))


def get(model_type: str) -> Resolved:
    """The record for ``model_type``; imports the ``__init__`` of that architecture and nothing else.

    Raises ``UnknownArchitecture``, ``ArchitectureConflict``, ``PluginLoadError`` or
    ``PluginVersionError``; each names what was seen and the way out.
    """
    if not isinstance(model_type, str):
        raise messages.unknown_architecture(model_type, ())
    registered = runtime.architecture(model_type)
    if registered is not None:
        return Resolved(registered, runtime.DISTRIBUTION, runtime.VERSION)
    entry = preferences.choose(model_type, advertised(scan.ARCHITECTURES).get(model_type, ()))
    if entry is None and runtime.config_class(model_type) is not None:
        raise messages.only_config_registered(model_type)
    if entry is None:
        raise messages.other_api(scan.ARCHITECTURES, (model_type,)) or messages.unknown_architecture(
            model_type, names()
        )
    return read(entry)


def read(entry: Entry) -> Resolved:
    """Import and check the record behind ``entry``."""
    compatibility.check(entry.provider)
    provider = entry.provider
    record = references.resolve(entry.value, distribution=provider.name)
    if fault := validation.fault(record, entry.name):
        raise references.broken(provider.name, f"advertises {entry.name!r} as {entry.value!r}: {fault}.")
    return Resolved(record, provider.name, provider.version)


def references_of(architecture: Architecture, auto_class: str) -> tuple[str, ...]:
    """The references in ``architecture`` that serve ``auto_class``, default first."""
    if auto_class not in FIELDS:
        return architecture.candidates(auto_class)
    found: str | tuple[str, ...] | None = getattr(architecture, FIELDS[auto_class])
    return (found,) if isinstance(found, str) else found or ()


def names() -> list[str]:
    """Every ``model_type`` that is advertised or registered, sorted; nothing is imported."""
    table = advertised(scan.ARCHITECTURES)
    return sorted({name for name in table if preferences.enabled(table[name])} | runtime.model_types())


def advertised(kind: str) -> Table:
    """Name to entries of one kind (``scan.ARCHITECTURES``, ...), hidden distributions included."""
    return scan.current().tables.get(kind, {})


def _extension(base: Resolved, auto_class: str, own: tuple[Candidate, ...]) -> Candidate | None:
    if auto_class in FIELDS:  # config, tokenizer and processors come with the architecture
        return None
    name = f"{base.architecture.model_type}.{auto_class}"
    entries = advertised(scan.EXTENSIONS).get(name, ())
    provider = scan.current().providers.get(scan.canonical(base.distribution))
    if own and preferences.enabled(entries):
        if provider is None:  # registered at run time: the user's own word
            return None
        entries = (Entry(name, own[0].reference, provider), *entries)
    entry = preferences.choose(name, entries)
    if entry is None or entry.provider is provider:
        return None
    compatibility.check(entry.provider)
    return Candidate(entry.value, entry.provider.name, entry.provider.version)
