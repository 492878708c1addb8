"""The generation settings of a sandboxed model, which the program may read and change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig
from zoo_core.generation.config import GENERATION_FILE
from zoo_core.hub import Repository


def generation_settings(repository: Repository | None) -> dict[str, Any]:
    """The content of generation_config.json; empty without one."""
    if repository is None or repository.single_file is not None or repository.find(GENERATION_FILE) is None:
        return {}
    return repository.read_json(GENERATION_FILE)


def generation_config(values: Mapping[str, Any]) -> GenerationConfig:
    """The settings as an object; impossible ones are left out, as in the sandbox."""
    try:
        config: GenerationConfig = GenerationConfig.from_dict(values)
    except GenerationError:
        return GenerationConfig()
    return config
