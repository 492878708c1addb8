"""What ``register`` added in this process, keyed by model_type and by class identity, never by class name."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from zoo_core.architecture import Architecture
from zoo_core.errors import ArchitectureConflict
from zoo_core.registry import preferences

DISTRIBUTION = "run-time registration"
VERSION = ""
DEFAULT = "default"


@dataclass
class _Store:
    architectures: dict[str, Architecture] = field(default_factory=dict)
    configs: dict[str, type[Any]] = field(default_factory=dict)
    classes: dict[tuple[str, type[Any], str], type[Any]] = field(default_factory=dict)

    def copy(self) -> _Store:
        return _Store(dict(self.architectures), dict(self.configs), dict(self.classes))


_lock = threading.RLock()
_store = _Store()


def architecture(model_type: str) -> Architecture | None:
    """The record registered for ``model_type``."""
    return _store.architectures.get(model_type)


def config_class(model_type: str) -> type[Any] | None:
    """The config class registered for ``model_type``."""
    return _store.configs.get(model_type)


def class_for(auto_class: str, config: type[Any], *, slot: str = DEFAULT) -> type[Any] | None:
    """The class registered on ``auto_class`` for exactly this config class."""
    return _store.classes.get((auto_class, config, slot))


def model_types() -> set[str]:
    """Every registered model_type."""
    return {*_store.architectures, *_store.configs}


def auto_classes() -> set[str]:
    """Every Auto class on which something was registered."""
    with _lock:
        named = {name for name, _, _ in _store.classes}
        for record in _store.architectures.values():
            named.update(record.models)
    return named


def registrations(auto_class: str) -> list[tuple[type[Any], type[Any]]]:
    """(config class, class) registered on ``auto_class``, oldest first."""
    with _lock:
        return [(config, found) for (name, config, _), found in _store.classes.items() if name == auto_class]


def named(class_name: str) -> type[Any] | None:
    """The registered class of this name, for names found in JSON files.

    Of two with one module and name (a notebook cell run again) the newer counts; two unrelated ones
    raise ``ArchitectureConflict``.
    """
    with _lock:
        found = {
            f"{value.__module__}.{value.__qualname__}": value
            for value in _store.classes.values()
            if value.__name__ == class_name
        }
    if len(found) > 1:
        raise ArchitectureConflict(
            f"{class_name!r} names {len(found)} classes registered in this process: {', '.join(found)}. "
            f"Rename one, or load with the class itself: {class_name}.from_pretrained(...)."
        )
    return next(iter(found.values()), None)


def add_architecture(record: Architecture) -> None:
    with _lock:
        _store.architectures[record.model_type] = record


def add_config(model_type: str, config: type[Any]) -> None:
    with _lock:
        _store.configs[model_type] = config


def add_class(auto_class: str, config: type[Any], added: type[Any], *, slot: str = DEFAULT) -> None:
    with _lock:
        _store.classes.pop((auto_class, config, slot), None)  # so that the newest stands last
        _store.classes[auto_class, config, slot] = added


@contextmanager
def isolated() -> Iterator[None]:
    """Take back, at the end of the block, what was registered or preferred in it; for tests, notebooks."""
    global _store
    with _lock:
        before, preferred = _store.copy(), preferences.remembered()
    try:
        yield
    finally:
        with _lock:
            _store = before
            preferences.restore(preferred)
