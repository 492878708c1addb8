"""Writing the code files of a model beside its weights, so that the folder is complete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo_core.config import PretrainedConfig
from zoo_core.errors import SandboxError
from zoo_core.remote.automap import parse_auto_map
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.store import write_atomically
from zoo_core.remote.trust import authority_free


def write_code(folder: Path, config: PretrainedConfig | None, codes: Sequence[RemoteCode]) -> None:
    """Write the files of ``codes``, then ``config``, whose ``auto_map`` refers to them where they now are.

    Raises :class:`SandboxError` when two repositories have different files of one name.
    """
    files: dict[str, bytes] = {}
    for code in codes:
        for name, data in code.sources.items():
            if files.setdefault(name, data) != data:
                raise SandboxError(f"model and config come from two repositories with different {name} files")
    for name, data in files.items():
        write_atomically(folder / name, data, mode=0o644)
    if config is None:
        return
    auto_map = getattr(config, "auto_map", None)
    if auto_map:
        kept = {}
        for key, references in parse_auto_map(auto_map).items():
            texts = [
                None if item is None else _local(str(item), item.filename in files) for item in references
            ]
            kept[key] = texts[0] if len(texts) == 1 else texts
        config.auto_map = kept
    config.save_pretrained(folder)


_TOKENIZER_FILES = ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
_TOKENIZER_SETTINGS = (
    "added_tokens_decoder", "additional_special_tokens", "extra_special_tokens", "model_max_length",
    "padding_side", "truncation_side", "clean_up_tokenization_spaces", "chat_template",
)  # fmt: skip


def write_tokenizer_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write the tokens and settings of a tokenizer in the sandbox over those of the files copied from its
    repository. What names code or files stays as it was there."""
    config, tokens, added = (folder / name for name in _TOKENIZER_FILES)
    values = json.loads(config.read_text()) if config.exists() else {}
    for name, value in settings.items():
        if name in _TOKENIZER_SETTINGS or (name.endswith("_token") and isinstance(value, str)):
            values[name] = value
    for stale in (tokens, added):
        stale.unlink(missing_ok=True)
    write_atomically(config, json.dumps(authority_free(values), indent=2).encode(), mode=0o644)


def _local(reference: str, is_here: bool) -> str:
    return reference.rpartition("--")[2] if is_here else reference
