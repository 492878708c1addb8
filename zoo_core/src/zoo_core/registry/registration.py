"""``register``: the checks behind every Auto class's method, and whole records at run time."""

from __future__ import annotations

from typing import Any

from zoo_core.architecture import Architecture
from zoo_core.errors import ArchitectureConflict, PluginLoadError, RegistryError
from zoo_core.registry import preferences, records, runtime, scan, validation


def register(architecture: Architecture, *, exist_ok: bool = False) -> None:
    """Add a whole record, in this process only: a spawned worker sees installed plugins alone.

    Raises ``PluginLoadError`` for a malformed record, and ``ArchitectureConflict`` when an installed
    distribution provides the type and ``exist_ok`` is false; with it the new record is used instead.
    """
    name = architecture.model_type if isinstance(architecture, Architecture) else ""
    if fault := validation.fault(architecture, name):
        raise PluginLoadError(f"register({architecture!r:.80}): {fault}.")
    _refuse_advertised(name, exist_ok=exist_ok)
    runtime.add_architecture(architecture)


def register_config(model_type: str, config_class: type[Any], *, exist_ok: bool = False) -> None:
    """What ``AutoConfig.register`` does.

    Raises ``ValueError`` when ``config_class.model_type`` differs from ``model_type``, or when an
    installed distribution provides the type and ``exist_ok`` is false. What was itself added by
    ``register`` is replaced silently.
    """
    _need_class("config", config_class)
    declared = getattr(config_class, "model_type", model_type)
    if declared != model_type:
        raise ValueError(
            f"register({model_type!r}, {config_class.__name__}): the class has model_type={declared!r}, "
            f'which is not consistent with the key. Write model_type = "{model_type}" in the class, or '
            f"register it under {declared!r}."
        )
    _refuse_advertised(model_type, exist_ok=exist_ok)
    runtime.add_config(model_type, config_class)


def register_class(
    auto_class: str,
    config_class: type[Any],
    registered: type[Any],
    *,
    slot: str = runtime.DEFAULT,
    exist_ok: bool = False,
) -> None:
    """What ``register`` of every other Auto class does; ``slot`` tells slow from fast where both exist.

    Raises ``ValueError`` when a model class declares another ``config_class`` (compared by identity), or
    when the distribution that provides ``config_class`` serves ``auto_class`` and ``exist_ok`` is false.
    """
    _need_class("config_class", config_class)
    _need_class("class", registered)
    declared = getattr(registered, "config_class", None)
    if isinstance(declared, type) and declared is not config_class and auto_class not in records.FIELDS:
        raise ValueError(
            f"{auto_class}.register({config_class.__name__}, {registered.__name__}): the model class has "
            f"config_class={_spelled(declared)}, which is not consistent with {_spelled(config_class)}. "
            f"The two must be the same class, not only of the same name."
        )
    if not exist_ok and (resolved := _serving(auto_class, config_class)):
        raise ArchitectureConflict(
            f"{auto_class} already serves {_spelled(config_class)}, from {resolved.distribution} "
            f"{resolved.version}. Pass exist_ok=True to replace it in this process."
        )
    runtime.add_class(auto_class, config_class, registered, slot=slot)


def _serving(auto_class: str, config_class: type[Any]) -> records.Resolved | None:
    """The installed record that maps exactly this config class to ``auto_class``."""
    model_type = getattr(config_class, "model_type", None)
    if not isinstance(model_type, str) or model_type not in records.advertised(scan.ARCHITECTURES):
        return None
    try:
        resolved = records.get(model_type)
        config = resolved.candidates("AutoConfig")[0].load()
        return resolved if config is config_class and resolved.candidates(auto_class) else None
    except RegistryError:  # a record that cannot be read serves nothing that could be replaced
        return None


def _refuse_advertised(model_type: str, *, exist_ok: bool) -> None:
    entries = preferences.enabled(records.advertised(scan.ARCHITECTURES).get(model_type, ()))
    if entries and not exist_ok:
        raise ArchitectureConflict(
            f"{model_type!r} is already used by {entries[0].provider}. Register under another "
            f"model_type, or pass exist_ok=True to replace it in this process."
        )


def _need_class(what: str, value: object) -> None:
    if not isinstance(value, type):
        raise TypeError(f"register takes the {what} itself, not {value!r:.80}")


def _spelled(value: type[Any]) -> str:
    return f"{value.__module__}.{value.__qualname__}"
