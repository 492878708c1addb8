"""From a tokenizer to the files of a folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.chat import save_templates
from zoo_core.tokenization.loading import ADDED_TOKENS_FILE, CONFIG_FILE, SPECIAL_TOKENS_FILE
from zoo_core.tokenization.special_tokens import token_state

if TYPE_CHECKING:
    from zoo_core.tokenization.base import PreTrainedTokenizerBase

_NOT_SAVED = ("name_or_path", "tokenizer_object", "tokenizer_file", "chat_template", "processor_class")


def save_tokenizer(
    tokenizer: PreTrainedTokenizerBase,
    folder: str | os.PathLike[str],
    *,
    prefix: str | None,
    jinja_files: bool,
    legacy: bool | None,
) -> tuple[str, ...]:
    """Write every file of ``tokenizer``; returns their paths. A file in the folder's place raises."""
    folder = Path(folder)
    if folder.is_file():
        raise TokenizerError(f"{folder} is a file; save_pretrained takes a folder.")
    if legacy and not tokenizer.can_save_slow_tokenizer:
        raise TokenizerError(
            f"{type(tokenizer).__name__} has tokenizer.json alone: legacy_format=True cannot be."
        )
    folder.mkdir(parents=True, exist_ok=True)
    start = f"{prefix}-" if prefix else ""
    config = config_of(tokenizer)
    written = []
    if tokenizer.chat_template is not None and not jinja_files:
        templates = tokenizer.chat_template
        config["chat_template"] = (
            templates
            if isinstance(templates, str)
            else [{"name": name, "template": text} for name, text in templates.items()]
        )
    written.append(_write(folder / f"{start}{CONFIG_FILE}", config))
    written.append(_write(folder / f"{start}{SPECIAL_TOKENS_FILE}", special_tokens_of(tokenizer)))
    if jinja_files:
        written += save_templates(tokenizer.chat_template, folder, start)
    added = {
        token: index
        for token, index in tokenizer.added_tokens_encoder.items()
        if index >= tokenizer.vocab_size
    }
    if added and legacy is not False:
        written.append(_write(folder / f"{start}{ADDED_TOKENS_FILE}", added))
    written += map(Path, tokenizer.save_vocabulary(str(folder), prefix))
    if not legacy:
        written += tokenizer._write_backend(folder, start)
    return tuple(map(str, written))


def config_of(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """What tokenizer_config.json says: how the tokenizer was made, with the present values."""
    config = {name: value for name, value in tokenizer.init_kwargs.items() if name not in _NOT_SAVED}
    for name in (*tokenizer._all_settings(), *config, "model_max_length", "clean_up_tokenization_spaces"):
        if hasattr(tokenizer, name):
            config[name] = getattr(tokenizer, name)
    for name in ("padding_side", "truncation_side", "split_special_tokens", "model_input_names"):
        value = _plain(getattr(tokenizer, name))
        if name in config or value != _plain(getattr(type(tokenizer), name)):
            config[name] = value
    config |= tokenizer.special_tokens_map
    config["extra_special_tokens"] = {
        role: token
        for role, token in tokenizer.extra_special_tokens.items()
        if role not in type(tokenizer).special_tokens
    }
    for role in config["extra_special_tokens"]:
        config.pop(role, None)
    config["added_tokens_decoder"] = {
        str(index): token_state(token) for index, token in tokenizer.added_tokens_decoder.items()
    }
    config["tokenizer_class"] = type(tokenizer).__name__
    return {name: _plain(config[name]) for name in sorted(config)}


def special_tokens_of(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """What special_tokens_map.json says."""
    found = tokenizer.special_tokens_map_extended
    return {role: _token_entry(found[role]) for role in sorted(found)}


def _token_entry(value: Any) -> Any:
    if isinstance(value, list):
        return [_token_entry(token) for token in value]
    return {name: flag for name, flag in token_state(value).items() if name != "special"}


def _plain(value: Any) -> Any:
    if isinstance(value, AddedToken):
        return value.content
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _write(path: Path, value: Any) -> Path:
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False)
    except TypeError as error:
        raise TokenizerError(f"{path.name} cannot be written: {error}.") from error
    path.write_text(text + "\n", encoding="utf-8")
    return path


def copy_files(files: Mapping[str, Path], folder: Path) -> tuple[str, ...]:
    """Copy each file into ``folder`` under its name; a file that is there already stays."""
    written = []
    for name, source in files.items():
        target = folder / name
        if not (target.exists() and target.samefile(source)):
            shutil.copyfile(source, target)
        written.append(str(target))
    return tuple(written)
