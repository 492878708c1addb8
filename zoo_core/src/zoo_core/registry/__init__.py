"""The plugin registry: what installed packages advertise, found without importing them.

Entry points are read once per process, on first use. Groups, each ending in the plugin API's version:

- ``zoo_core.architectures.v1``: ``model_type = package.arch:ARCHITECTURE``, an ``Architecture`` record;
- ``zoo_core.components.v1``: ``ClassName = package.module:Class``, for names that stand in JSON files;
- ``zoo_core.extensions.v1``: ``model_type.AutoClass = package.module:Class``, one more head for a model
  type that another distribution provides.

``get`` reads the record of one model type, and nothing else of any plugin; ``component`` and ``load``
import one class. ``register*`` add to this process alone.
"""

from __future__ import annotations

import os

from zoo_core.registry import naming as _naming, scan as _scan
from zoo_core.registry.components import component, component_names
from zoo_core.registry.listing import (
    Problem,
    Provided,
    Row,
    auto_classes,
    distributions,
    prefer,
    problems,
    providers,
    table,
)
from zoo_core.registry.messages import unsupported
from zoo_core.registry.records import Candidate, Resolved, get, names
from zoo_core.registry.references import load
from zoo_core.registry.registration import register, register_class, register_config
from zoo_core.registry.runtime import (
    class_for as registered_class,
    config_class as registered_config,
    isolated,
)

__all__ = [
    "Candidate",
    "Problem",
    "Provided",
    "Resolved",
    "Row",
    "auto_classes",
    "clear_cache",
    "closest",
    "component",
    "component_names",
    "distributions",
    "get",
    "isolated",
    "load",
    "match_name",
    "names",
    "prefer",
    "problems",
    "providers",
    "register",
    "register_class",
    "register_config",
    "registered_class",
    "registered_config",
    "table",
    "unsupported",
]


def clear_cache() -> None:
    """Read the installed metadata again at the next use; registrations and preferences stay."""
    _scan.forget()


def closest(name: str, *, most: int = 3) -> list[str]:
    """Up to ``most`` known model types that resemble ``name``, best first."""
    return _naming.closest(name, names(), most=most)


def match_name(path: str | os.PathLike[str]) -> str | None:
    """The longest known model type contained in ``path``, with a warning; None when none is.

    The documented fallback for a config.json without ``model_type``.
    """
    return _naming.match(path, names())
