"""The texts of the errors for names that nothing provides."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib import metadata, resources

from zoo_core.architecture import PLUGIN_API
from zoo_core.errors import PluginVersionError, UnknownArchitecture, UnknownComponent
from zoo_core.registry import naming, preferences, scan

_MOST_PLUGINS = 8


def unknown_architecture(model_type: object, known: Iterable[str]) -> UnknownArchitecture:
    """The error for a model_type that no installed distribution provides."""
    if not isinstance(model_type, str):
        return UnknownArchitecture(
            f"Unrecognized model type {model_type!r:.80}: `model_type` in config.json must be a string, "
            f"not {type(model_type).__name__}."
        )
    return UnknownArchitecture(
        f"zoo-core does not recognize the model type {model_type[:80]!r}: no installed package provides this "
        f"architecture. " + _ways_out(model_type, known, scan.ARCHITECTURES)
    )


def only_config_registered(model_type: str) -> UnknownArchitecture:
    """The error for a model_type that ``AutoConfig.register`` added, when more than its config is needed."""
    return UnknownArchitecture(
        f"Unrecognized model type {model_type!r} here: AutoConfig.register added its config class in this "
        f"process, and nothing else was registered for it. AutoModel.register(ConfigClass, ModelClass) adds "
        f"a model; so do the other Auto classes."
    )


def unknown_component(class_name: object, known: Iterable[str]) -> UnknownComponent:
    """The error for a class named in a JSON file that no installed distribution provides."""
    if not isinstance(class_name, str):
        return UnknownComponent(
            f"Unrecognized class name {class_name!r:.80}: must be a string, not {type(class_name).__name__}."
        )
    return UnknownComponent(
        f"zoo-core does not recognize the class {class_name[:80]!r}: no installed package provides it. "
        + _ways_out(class_name, known, scan.COMPONENTS)
    )


def other_api(kind: str, spellings: Iterable[str]) -> PluginVersionError | None:
    """The error for a name that is provided, but for another plugin API; None when it is not."""
    table = scan.current().other_api.get(kind, {})
    for name in spellings:
        for entry in preferences.enabled(table.get(name, ())):
            return PluginVersionError(
                f"{entry.provider} provides {name!r} for plugin API {entry.api}; this zoo-core speaks "
                f"{PLUGIN_API}. Install a release of {entry.provider.name} for plugin API {PLUGIN_API}, or a "
                f"zoo-core that speaks {entry.api}.",
                distribution=entry.provider.name,
                version=entry.provider.version,
            )
    return None


def unsupported(
    auto_class: str, model_type: str, offered: Iterable[str], *, config: str = ""
) -> UnknownArchitecture:
    """The error for a model_type that is known, but not to this Auto class."""
    seen = (
        f"configuration class {config} (model type {model_type!r})"
        if config
        else f"model type {model_type!r}"
    )
    served = ", ".join(offered) or "none"
    return UnknownArchitecture(
        f"Unrecognized {seen} for this kind of AutoModel: {auto_class}. "
        f"Auto classes that serve {model_type!r}: {served}. `zoo list --auto {auto_class}` shows what "
        f"{auto_class} serves; {auto_class}.register(ConfigClass, ModelClass) adds to it."
    )


def _ways_out(name: str, known: Iterable[str], kind: str) -> str:
    parts = []
    if close := naming.closest(name, known):
        parts.append(f"Closest known: {', '.join(map(repr, close))}.")
    parts.append(_installed())
    table, hidden = scan.current().tables.get(kind, {}), preferences.disabled()
    for spelling in naming.twins(name):
        parts += [_hint(spelling, package) for package in shipped_by(spelling, kind) if package not in hidden]
        parts += [
            f"{entry.provider} provides {spelling!r} but is hidden by {preferences.DISABLE_VARIABLE}."
            for entry in table.get(spelling, ())
            if entry.provider.key in hidden
        ]
    return " ".join(parts)


def _installed() -> str:
    hidden = preferences.disabled()
    plugins = sorted(
        (provider for provider in scan.current().providers.values() if provider.key not in hidden),
        key=lambda provider: provider.key,
    )
    if not plugins:
        return "No plugin is installed; `pip install zoo-text` is the usual first one."
    shown = ", ".join(map(str, plugins[:_MOST_PLUGINS]))
    rest = f" and {len(plugins) - _MOST_PLUGINS} more (`zoo list`)" if len(plugins) > _MOST_PLUGINS else ""
    return f"Installed plugins: {shown}{rest}."


def _hint(name: str, package: str) -> str:
    try:
        installed = metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"{name!r} comes with {package}: pip install {package}"
    if package in scan.current().providers:
        return f"{package} {installed} does not have it yet: pip install --upgrade {package}"
    return (
        f"{package} {installed} was installed after this process first looked: call "
        f"zoo_core.registry.clear_cache(), or start again."
    )


def shipped_by(name: str, kind: str) -> list[str]:
    """The first-party packages whose newest release ships ``name``."""
    return [package for package, shipped in _first_party().items() if name in shipped[kind]]


@cache
def _first_party() -> dict[str, dict[str, list[str]]]:
    text = resources.files(__package__).joinpath("first_party.json").read_text(encoding="utf-8")
    table: dict[str, dict[str, list[str]]] = json.loads(text)
    return table
