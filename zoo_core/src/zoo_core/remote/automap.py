"""The ``auto_map`` entry of a JSON file: which class of which file serves an Auto class.

Grammar, and nothing else: ``[owner/name--][folder/]*module.Class`` with dotted folders allowed too
(``folder.module.Class``). No absolute path, no ``..``, no backslash, no local folder before ``--``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zoo_core.errors import ConfigError

_IDENTIFIER = r"[A-Za-z_][A-Za-z0-9_]{0,127}"
_REPO_PART = r"(?!\.)[A-Za-z0-9._-]{1,96}(?<!\.)"
_REFERENCE = re.compile(
    rf"(?:(?P<repo>{_REPO_PART}/{_REPO_PART})--)?(?P<path>{_IDENTIFIER}(?:[./]{_IDENTIFIER}){{0,8}})\.(?P<name>{_IDENTIFIER})"
)
_MAX_LENGTH = 512


@dataclass(frozen=True, slots=True)
class CodeReference:
    """A class in a repository's code: ``repo`` is None for the repository that names it."""

    repo: str | None
    module: tuple[str, ...]
    class_name: str

    @property
    def filename(self) -> str:
        """The file inside the repository, such as ``sub/modeling_x.py``."""
        return "/".join(self.module) + ".py"

    def __str__(self) -> str:
        prefix = f"{self.repo}--" if self.repo else ""
        return f"{prefix}{'/'.join(self.module)}.{self.class_name}"


def parse_reference(text: object, *, key: str = "auto_map") -> CodeReference:
    """The reference that ``text`` spells. Raises :class:`ConfigError` for anything outside the grammar."""
    if not isinstance(text, str):
        raise ConfigError(f"{key}: {_shown(text)} is not a string; expected 'module.Class'")
    match = _REFERENCE.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None or not text.isascii():
        raise ConfigError(
            f"{key}: {_shown(text)} is not a reference to code; expected 'module.Class', "
            "'folder/module.Class' or 'owner/name--module.Class' (identifiers only: no absolute path, '..', "
            "backslash or local folder)"
        )
    repo = match["repo"]
    if repo is not None and (".." in repo or "--" in repo):
        raise ConfigError(f"{key}: {_shown(text)} names the repository {repo!r}, which no hub can have")
    return CodeReference(repo, tuple(re.split(r"[./]", match["path"])), match["name"])


def parse_auto_map(
    value: object, *, source: str = "config.json"
) -> Mapping[str, tuple[CodeReference | None, ...]]:
    """The whole ``auto_map``: Auto class name to its references.

    A tokenizer entry may be a pair (slow class, fast class) with None for one of them; everything else has
    one reference. A list in place of the mapping means the tokenizer pair, as old files have it.
    """
    if isinstance(value, list):
        value = {"AutoTokenizer": value}
    if not isinstance(value, dict):
        raise ConfigError(f"{source}: auto_map is {_shown(value)}; expected an object of Auto class names")
    if len(value) > 128:
        raise ConfigError(f"{source}: auto_map has {len(value)} entries; at most 128 are read")
    found: dict[str, tuple[CodeReference | None, ...]] = {}
    for name, entry in value.items():
        if not isinstance(name, str) or re.fullmatch(_IDENTIFIER, name) is None:
            raise ConfigError(
                f"{source}: auto_map names {_shown(name)}, which is not the name of an Auto class"
            )
        key = f"{source}: auto_map[{name!r}]"
        if isinstance(entry, list):
            if name != "AutoTokenizer" or not 1 <= len(entry) <= 2 or all(item is None for item in entry):
                raise ConfigError(f"{key}: {_shown(entry)}; only AutoTokenizer may have a pair (slow, fast)")
            found[name] = tuple(None if item is None else parse_reference(item, key=key) for item in entry)
        else:
            found[name] = (parse_reference(entry, key=key),)
    return found


def reference_for(
    auto_class: str, config: Mapping[str, Any], *, source: str, use_fast: bool = True
) -> CodeReference | None:
    """The code that ``config`` names for ``auto_class``; None when it names none."""
    if config.get("auto_map") is None:
        return None
    entry = parse_auto_map(config["auto_map"], source=source).get(auto_class)
    if entry is None:
        return None
    slow, fast = entry[0], entry[-1]
    return (fast or slow) if use_fast else (slow or fast)


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= 120 else text[:117] + "..."
