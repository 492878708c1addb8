"""Writing the code files of a model beside its weights, so that the folder is complete."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zoo_core.config import PretrainedConfig
from zoo_core.errors import SandboxError
from zoo_core.remote.automap import parse_auto_map
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.store import write_atomically


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


def _local(reference: str, is_here: bool) -> str:
    return reference.rpartition("--")[2] if is_here else reference
