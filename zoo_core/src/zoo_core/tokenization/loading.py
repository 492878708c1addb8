"""From the files of a repository to a tokenizer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.chat import TEMPLATE_FILE, TEMPLATE_FOLDER, templates_from_config
from zoo_core.tokenization.special_tokens import as_added_token

if TYPE_CHECKING:
    from zoo_core.hub import Repository
    from zoo_core.tokenization.base import PreTrainedTokenizerBase

CONFIG_FILE = "tokenizer_config.json"
SPECIAL_TOKENS_FILE = "special_tokens_map.json"
ADDED_TOKENS_FILE = "added_tokens.json"
TOKENIZER_FILE = "tokenizer.json"

_MAX_TEMPLATE_BYTES = 1 << 22

# A file is data: none of these may come from one.
_NEVER_FROM_FILE = frozenset(
    {
        "auto_map",
        "code_revision",
        "name_or_path",
        "special_tokens_map_file",
        "tokenizer_class",
        "tokenizer_file",
        "tokenizer_object",
        "trust_remote_code",
        "added_tokens_file",
        "device_map",
        "config",
        "backend",
        "local_files_only",
        "is_local",
        "from_slow",
    }
)

T = TypeVar("T", bound="PreTrainedTokenizerBase")


def load_tokenizer(cls: type[T], repository: Repository, *init_inputs: Any, **kwargs: Any) -> T:
    """The tokenizer of class ``cls`` whose files ``repository`` holds; ``kwargs`` win over the files.

    tokenizer_config.json gives the keywords, tokenizer.json (where ``cls`` takes one) or the files of
    ``cls.vocab_files_names`` the vocabulary. Raises TokenizerError when neither is there, naming the files
    that were looked for, and for files that hold something else.
    """
    kwargs = {
        name: value for name, value in kwargs.items() if name not in ("config", "use_fast", "_from_auto")
    }
    files = _vocabulary_files(cls, repository)
    if repository.single_file is not None:
        return cls(*init_inputs, **{**files, "name_or_path": repository.name, **kwargs})
    config = tokenizer_config(repository)
    settings = {
        name: value
        for name, value in config.items()
        if not name.startswith("_") and name not in _NEVER_FROM_FILE and not name.endswith("_file")
    }
    settings |= _special_tokens(repository, config)
    template = _chat_template(repository, settings.pop("chat_template", None))
    if template is not None:
        settings["chat_template"] = template
    settings["name_or_path"] = repository.name
    return cls(*init_inputs, **{**files, **settings, **kwargs})


def tokenizer_config(repository: Repository) -> dict[str, Any]:
    """tokenizer_config.json, empty where there is none."""
    if repository.find(CONFIG_FILE) is None:
        return {}
    return repository.read_json(CONFIG_FILE)


def _vocabulary_files(cls: type[PreTrainedTokenizerBase], repository: Repository) -> dict[str, Path]:
    names = dict(cls.vocab_files_names)
    if cls.is_fast:
        names.setdefault("tokenizer_file", TOKENIZER_FILE)
    single = repository.single_file
    if single is not None:
        own = [key for key in names if key != "tokenizer_file"]
        if "tokenizer_file" in names and single.suffix == ".json" and len(own) != 1:
            own = ["tokenizer_file"]
        if len(own) != 1:
            raise TokenizerError(
                f"{cls.__name__} needs {len(own)} files ({', '.join(names.values())}): pass their folder."
            )
        key = "tokenizer_file" if single.name == TOKENIZER_FILE and "tokenizer_file" in names else own[0]
        return {key: single}
    found = {key: path for key, name in names.items() if (path := repository.find(name)) is not None}
    if names and not found:
        raise TokenizerError(
            f"{repository.name!r} holds no vocabulary for {cls.__name__}: "
            f"none of {', '.join(dict.fromkeys(names.values()))} is there."
        )
    return found


def _special_tokens(repository: Repository, config: Mapping[str, Any]) -> dict[str, Any]:
    """Special and added tokens, from tokenizer_config.json or from the files that held them before."""
    if "added_tokens_decoder" in config:
        return {"added_tokens_decoder": _decoder(config["added_tokens_decoder"])}
    found: dict[str, Any] = {}
    if repository.find(SPECIAL_TOKENS_FILE) is not None:
        for role, value in repository.read_json(SPECIAL_TOKENS_FILE).items():
            many = isinstance(value, list)
            found[role] = [as_added_token(item) for item in value] if many else as_added_token(value)
    if repository.find(ADDED_TOKENS_FILE) is not None:
        added = repository.read_json(ADDED_TOKENS_FILE)
        special = {
            token.content
            for value in found.values()
            for token in (value if isinstance(value, list) else [value])
        }
        special |= {
            value for key, value in config.items() if key.endswith("_token") and isinstance(value, str)
        }
        if not all(isinstance(index, int) and index >= 0 for index in added.values()):
            raise TokenizerError(
                f"{ADDED_TOKENS_FILE} of {repository.name} maps tokens to ids; ids count from 0."
            )
        found["added_tokens_decoder"] = {
            index: as_added_token(token, special=token in special) for token, index in added.items()
        }
    return found


def _decoder(value: Any) -> dict[int, Any]:
    try:
        return {int(index): as_added_token(token, special=False) for index, token in value.items()}
    except (AttributeError, ValueError, TypeError) as error:
        raise TokenizerError(f"added_tokens_decoder maps ids to tokens, not {value!r:.80}.") from error


def _chat_template(repository: Repository, configured: Any) -> str | dict[str, str] | None:
    """The template file, which wins over tokenizer_config.json, and the named ones of its folder."""
    path = repository.find(TEMPLATE_FILE)
    named = _named_templates(repository) if path is not None or repository.is_local else {}
    if path is None and not named:
        return templates_from_config(configured)
    default = {} if path is None else {"default": _text(path)}
    return default["default"] if default and not named else {**default, **named}


def _named_templates(repository: Repository) -> dict[str, str]:
    prefix = f"{TEMPLATE_FOLDER}/"
    names = [name for name in repository.files() if name.startswith(prefix) and name.endswith(".jinja")]
    return {name[len(prefix) : -len(".jinja")]: _text(repository.path(name)) for name in names}


def _text(path: Path) -> str:
    if path.stat().st_size > _MAX_TEMPLATE_BYTES:
        raise TokenizerError(f"{path} is larger than a chat template may be ({_MAX_TEMPLATE_BYTES:,} bytes).")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TokenizerError(f"{path} is not UTF-8: {error}") from error


def read_json(path: Path) -> Any:
    """A vocabulary file's JSON. Raises TokenizerError for anything that is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TokenizerError(f"{path} is not JSON: {error}") from error
