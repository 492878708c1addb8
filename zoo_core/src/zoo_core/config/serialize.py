"""Configs as dictionaries and as JSON text."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo_core.config.conventions import ConventionalFields, GenerationFields, dtype_name, label_names

if TYPE_CHECKING:
    from zoo_core.config.base import PretrainedConfig

CONVENTIONAL = {**ConventionalFields.__config_fields__, **GenerationFields.__config_fields__}


def full(config: PretrainedConfig) -> dict[str, Any]:
    """Every value of ``config``; a part's dictionary stands where the part was."""
    result = {name: _plain(value) for name, value in _serialized(config).items()}
    if config.model_type:
        result["model_type"] = config.model_type
    return result


def diff(config: PretrainedConfig) -> dict[str, Any]:
    """``config`` less the conventional values that equal both the usual default and the class's own."""
    result: dict[str, Any] = {}
    for name, value in _serialized(config).items():
        if name in CONVENTIONAL and value == _default(type(config), name) == _usual(name):
            continue
        result[name] = diff(value) if _is_config(value) else _plain(value)
    if config.model_type:
        result["model_type"] = config.model_type
    return result


def _serialized(config: PretrainedConfig) -> dict[str, Any]:
    """The attributes that belong into a file: no private ones but those a class declares as fields."""
    found = {
        name: value
        for name, value in config.__dict__.items()
        if not name.startswith("_") or name in type(config).__config_fields__
    }
    found.update(config.__dict__.get("_unreachable", {}))
    return found


def _usual(name: str) -> Any:
    return CONVENTIONAL[name].make_default()


def _default(cls: type[PretrainedConfig], name: str) -> Any:
    if name in ("id2label", "label2id"):
        names = label_names(cls._default_num_labels)
        return names if name == "id2label" else {label: index for index, label in names.items()}
    field = cls.__config_fields__.get(name)
    return None if field is None else field.plain_default()


def _is_config(value: Any) -> bool:
    return hasattr(type(value), "__config_fields__")


def _plain(value: Any) -> Any:
    """``value`` as JSON can hold it."""
    if _is_config(value):
        return full(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    if hasattr(value, "to_dict"):
        return _plain(value.to_dict())
    if type(value).__module__ == "torch" and type(value).__name__ == "dtype":
        return dtype_name(value)
    return value


def dumps(values: Mapping[str, Any]) -> str:
    """JSON with sorted keys (numbers by value), two spaces and a newline at the end."""
    return json.dumps(_sortable(values), indent=2, sort_keys=True) + "\n"


def _sortable(value: Any) -> Any:
    """``value`` with keys that can be compared: of mixed kinds they all become strings."""
    if isinstance(value, Mapping):
        mixed = len({isinstance(key, str) for key in value}) > 1
        return {str(key) if mixed else key: _sortable(item) for key, item in value.items()}
    return [_sortable(item) for item in value] if isinstance(value, list) else value


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write ``text``; the file is the old one or the new one, never a part."""
    import secrets  # milliseconds, for saving only

    temporary = f"{os.fspath(path)}.{secrets.token_hex(8)}.tmp"
    try:
        with open(temporary, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def parse_updates(config: PretrainedConfig, text: str) -> dict[str, Any]:
    """The values in ``"name=value,name=value"``, typed as the attributes that they replace."""
    updates: dict[str, Any] = {}
    for item in text.split(","):
        name, separator, raw = item.strip().partition("=")
        if not separator or not hasattr(config, name):
            raise ValueError(
                f"{item.strip()!r}: {type(config).__name__} has no attribute {name!r}"
                if separator
                else f"{item.strip()!r}: must be name=value"
            )
        updates[name] = _parse(name, raw, getattr(config, name))
    return updates


def _parse(name: str, raw: str, old: Any) -> Any:
    if isinstance(old, bool):
        spelled = {
            "true": True,
            "1": True,
            "y": True,
            "yes": True,
            "false": False,
            "0": False,
            "n": False,
            "no": False,
        }
        if raw.lower() not in spelled:
            raise ValueError(f"{name}={raw}: must be true or false")
        return spelled[raw.lower()]
    if isinstance(old, int | float | str):
        try:
            return type(old)(raw)
        except ValueError:
            raise ValueError(f"{name}={raw}: must be {type(old).__name__}, as it is now ({old!r})") from None
    raise ValueError(
        f"{name}={raw}: only int, float, bool and str values can be set from a string; this is {old!r:.60}"
    )
