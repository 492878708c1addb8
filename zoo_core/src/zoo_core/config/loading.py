"""Configs from repositories, folders and files, and back."""

from __future__ import annotations

import copy
import logging
import os
import tempfile
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo_core.config import rules
from zoo_core.errors import ConfigError
from zoo_core.remote.trust import FORBIDDEN_KEYS

if TYPE_CHECKING:
    from zoo_core.config.base import PretrainedConfig
    from zoo_core.hub import Repository

CONFIG_NAME = "config.json"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """The content of a config.json and where it was found."""

    values: dict[str, Any]
    source: str
    repository: Repository


def read_config(name_or_path: str | os.PathLike[str], kwargs: MutableMapping[str, Any]) -> Found:
    """Read config.json; takes the keywords that say where to look out of ``kwargs``.

    ``_repository``: the resolved repository of the load this belongs to, so that its revision is resolved
    once. ``_configuration_file``: another name than config.json.
    """
    from zoo_core.hub import HubOptions, Repository, read_json_file

    options = HubOptions.pop_from(kwargs)
    repository: Repository = kwargs.pop("_repository", None) or Repository(name_or_path, options=options)
    filename = kwargs.pop("_configuration_file", None) or CONFIG_NAME
    if (file := repository.single_file) is not None:
        return Found(read_json_file(file), str(file), repository)
    return Found(repository.read_json(filename), f"{repository.name}/{filename}", repository)


def load(cls: type[PretrainedConfig], name_or_path: str | os.PathLike[str], kwargs: dict[str, Any]) -> Any:
    """What `PretrainedConfig.from_pretrained` does."""
    for ignored in ("trust_remote_code", "code_revision", "sandbox", "_from_auto"):
        kwargs.pop(ignored, None)
    return from_found(cls, read_config(name_or_path, kwargs), kwargs)


def from_found(cls: type[PretrainedConfig], found: Found, kwargs: dict[str, Any]) -> Any:
    """A config of class ``cls`` from a file that was read, with the caller's ``kwargs`` on top."""
    result = from_mapping(cls, part_of(cls, found.values), kwargs, source=found.source)
    config = result[0] if isinstance(result, tuple) else result
    config.name_or_path = found.repository.name
    config.__dict__["_commit_hash"] = found.repository.commit
    return result


def part_of(cls: type[PretrainedConfig], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """``values``, or the part of a composite that configures ``cls``."""
    found = values.get("model_type")
    if not cls.model_type or found == cls.model_type:
        return values
    for part in values.values():
        if isinstance(part, Mapping) and part.get("model_type") == cls.model_type:
            return part
    if cls.base_config_key and isinstance(part := values.get(cls.base_config_key), Mapping):
        return part
    if found is not None:
        logger.warning(
            "The file configures a model of type %r; %s configures %r. Fields that both have are used.",
            found,
            cls.__name__,
            cls.model_type,
        )
    return values


def from_mapping(
    cls: type[PretrainedConfig],
    values: Mapping[str, Any],
    kwargs: Mapping[str, Any],
    *,
    source: str | None = None,
) -> Any:
    """A config from untrusted ``values`` and the caller's ``kwargs``.

    Returns the config, or ``(config, unused keywords)`` with ``return_unused_kwargs=True``.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(
            f"{cls.__name__} is made from an object of fields, not from {type(values).__name__}"
        )
    try:
        return _build(cls, values, kwargs)
    except ConfigError as error:
        if source is None or not error.problems:
            raise
        raise rules.fail(error.class_name or cls.__name__, error.problems, source=source) from error.__cause__
    except RecursionError:
        raise ConfigError(f"{cls.__name__} from {source or 'a dictionary'} is nested too deeply") from None


def _build(cls: type[PretrainedConfig], values: Mapping[str, Any], kwargs: Mapping[str, Any]) -> Any:
    overrides = dict(kwargs)
    wants_unused = overrides.pop("return_unused_kwargs", False)
    merged = _authority_free(cls, values)
    known = _keywords(cls) | set(merged)
    applied = {name: overrides.pop(name) for name in list(overrides) if name in known}
    if "num_labels" in applied and "id2label" not in applied:
        names = merged.get("id2label")
        if not isinstance(names, Mapping) or len(names) != applied["num_labels"]:
            merged.pop("id2label", None)
            merged.pop("label2id", None)
    _keep_part_types(merged, applied)
    for name, value in applied.items():  # a field given by one of its names replaces the file's under another
        for same in _names_of(cls, name):
            merged.pop(same, None)
        merged[name] = value
    config = cls(**merged)
    for name in list(overrides):  # attributes that a class sets in code of its own
        if not name.startswith("_") and hasattr(config, name) and not callable(getattr(config, name)):
            setattr(config, name, overrides.pop(name))
    return (config, overrides) if wants_unused else config


def _authority_free(cls: type[PretrainedConfig], values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` less what a file may not decide: trust, code, kernels, and private names.

    A private name that the class declares as a field of its own is data like any other.
    """
    result = {}
    for name, value in values.items():
        if name in FORBIDDEN_KEYS:
            logger.warning("Ignored %r in a config file: only the caller decides it", name)
        elif name != "name_or_path" and (not name.startswith("_") or name in cls.__config_fields__):
            result[name] = copy.deepcopy(value)
    return result


def _keywords(cls: type[PretrainedConfig]) -> set[str]:
    """The names that the constructor gives a meaning."""
    return {*cls.__config_fields__, *cls.attribute_map, "num_labels", "torch_dtype", "attn_implementation"}


def _names_of(cls: type[PretrainedConfig], name: str) -> set[str]:
    """All spellings of the field called ``name``."""
    names = {**cls.attribute_map, "torch_dtype": "dtype"}
    target = names.get(name, name)
    return {target, *(alias for alias, field_name in names.items() if field_name == target)}


def _keep_part_types(merged: Mapping[str, Any], applied: dict[str, Any]) -> None:
    """A part given as keywords without ``model_type`` is of the type that the file gives that part."""
    for name, value in applied.items():
        part = merged.get(name)
        if isinstance(value, Mapping) and isinstance(part, Mapping) and "model_type" in part:
            applied[name] = {"model_type": part["model_type"], **value}


def save(
    config: PretrainedConfig, save_directory: str | os.PathLike[str], *, push_to_hub: bool, **kwargs: Any
) -> None:
    """What `PretrainedConfig.save_pretrained` does."""
    folder = Path(save_directory)
    if folder.is_file():
        raise NotADirectoryError(f"save_directory = {str(folder)!r} is a file; give a folder")
    config.validate()
    folder.mkdir(parents=True, exist_ok=True)
    config.to_json_file(folder / CONFIG_NAME)
    if push_to_hub:
        push(config, kwargs.pop("repo_id", None) or folder.absolute().name, **kwargs)


def push(config: PretrainedConfig, repo_id: str, **kwargs: Any) -> str:
    """What `PretrainedConfig.push_to_hub` does."""
    from zoo_core.hub import upload

    with tempfile.TemporaryDirectory() as folder:
        config.to_json_file(Path(folder) / CONFIG_NAME)
        return upload(
            folder, repo_id, commit_message=kwargs.pop("commit_message", None) or "Upload config", **kwargs
        )
