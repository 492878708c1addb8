"""Which config class a part of a composite, or a whole config.json, belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo_core.config.types import Mismatch

if TYPE_CHECKING:
    from zoo_core.config.base import PretrainedConfig


def config_class_for(model_type: str) -> type[PretrainedConfig]:
    """The config class that the registry knows for ``model_type``; raises as `zoo_core.registry.get`."""
    from zoo_core import registry

    registered = registry.registered_config(model_type)
    return registered or registry.get(model_type).candidates("AutoConfig")[0].load()


def part_class(
    values: Mapping[str, Any], *, default: str | type[PretrainedConfig] | None, fixed: bool
) -> type[PretrainedConfig]:
    """The class of a part whose fields are ``values``: by its own ``model_type``, else the default."""
    model_type = values.get("model_type")
    if model_type is not None and not isinstance(model_type, str):
        raise Mismatch(f"must name its model_type as a string, not {model_type!r:.40}")
    if not isinstance(default, str | None):
        if fixed or model_type in ("", None, default.model_type):
            return default
    elif default is not None and (fixed or not model_type):
        return config_class_for(default)
    if not model_type:
        raise Mismatch('must say which model it configures: add "model_type"')
    return config_class_for(model_type)
