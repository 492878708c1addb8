"""The files of one load: each is read once, and all are of one commit."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from zoo_core.errors import ConfigError
from zoo_core.hub import HubOptions, Repository, read_json_file
from zoo_core.remote.trust import LoadContext

if TYPE_CHECKING:
    from zoo_core.config import PretrainedConfig

CONFIG_NAME = "config.json"


class Source:
    """Where a load gets its files from, and what its caller grants."""

    def __init__(self, repository: Repository, context: LoadContext) -> None:
        self.repository = repository
        self.context = context
        self._read: dict[str, dict[str, Any]] = {}

    @classmethod
    def pop_from(cls, name_or_path: str | os.PathLike[str], kwargs: dict[str, Any]) -> Source:
        """Take the keywords that say where to look, and what is trusted, out of ``kwargs``."""
        context = LoadContext.pop_from(kwargs)
        options = HubOptions.pop_from(kwargs)
        repository = kwargs.pop("_repository", None)
        kwargs.pop("_from_auto", None)
        return cls(repository or Repository(name_or_path, options=options), context)

    @property
    def name(self) -> str:
        """What the caller called it."""
        return self.repository.name

    def json(self, filename: str) -> dict[str, Any]:
        """The JSON object in ``filename``; empty when there is no such file."""
        if filename not in self._read:
            path = self.repository.find(filename) if self.repository.single_file is None else None
            self._read[filename] = (
                {} if path is None else read_json_file(path, name=f"{filename} of {self.name}")
            )
        return self._read[filename]

    def settings(self, filenames: Iterable[str], *, section: str = "") -> dict[str, Any]:
        """The first settings file there is: one of its own, or a section of processor_config.json.

        A name that is that of a single JSON file is the file itself.
        """
        if (single := self.repository.single_file) is not None:
            return read_json_file(single)
        first, *others = filenames
        if found := self.json(first):
            return found
        part = self.json("processor_config.json").get(section)
        if section and isinstance(part, dict):
            return part
        return next((found for name in others if (found := self.json(name))), {})

    def hub_keywords(self) -> dict[str, Any]:
        """The keywords that make another load find the same files: the revision is the resolved commit."""
        options = self.repository.options
        given = {
            field.name: value
            for field in dataclasses.fields(options)
            if (value := getattr(options, field.name)) != field.default
        }
        if not self.repository.is_local and (commit := self.repository.commit):
            given["revision"] = commit
        return given


def class_name_in(values: Mapping[str, Any], key: str, *, file: str) -> str | None:
    """The class that a JSON file names under ``key``; None when it names none."""
    found = values.get(key)
    if found is None or found == "":
        return None
    if not isinstance(found, str) or not found.isidentifier() or len(found) > 200:
        raise ConfigError(f"{file}: {key} = {found!r:.80}: must be the name of a class")
    return found


def model_type_of(values: Mapping[str, Any]) -> str | None:
    """``model_type`` of the content of a config.json; one that timm wrote names none."""
    found = values.get("model_type")
    if found is not None and not isinstance(found, str):
        raise ConfigError(f"model_type = {found!r:.80}: must be a string")
    return found or ("timm_wrapper" if is_timm(values) else None)


def is_timm(values: Mapping[str, Any]) -> bool:
    """Whether the content of a config.json is as timm writes it."""
    return not values.get("model_type") and "pretrained_cfg" in values and "architecture" in values


def given_config(config: Any) -> PretrainedConfig | None:
    """The ``config`` keyword, checked; a name or path is loaded."""
    if isinstance(config, str | os.PathLike):
        from zoo_core.auto.configuration import AutoConfig

        return AutoConfig.from_pretrained(config)
    return config  # type: ignore[no-any-return]
