"""Weights of a model into Hub files: exact names, sharded with an index, all or nothing."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.matching import Policies
from zoo_core.checkpoint.names import NamePlan
from zoo_core.checkpoint.shards import with_variant
from zoo_core.checkpoint.slots import slots, tie_groups
from zoo_core.errors import CheckpointError, WeightsMismatch

_UNITS = (
    {"": 1}
    | {f"{p}B": 1000**i for i, p in enumerate("KMGT", 1)}
    | {f"{p}IB": 1024**i for i, p in enumerate("KMGT", 1)}
)


def save_weights(
    model: nn.Module,
    folder: str | os.PathLike[str],
    *,
    max_shard_size: int | str = "5GB",
    safe_serialization: bool = True,
    variant: str | None = None,
    state_dict: Mapping[str, Tensor] | None = None,
    stored: Mapping[str, Mapping[str, Tensor]] | None = None,
) -> list[Path]:
    """Write the weights under their Hub names; returns the files written.

    max_shard_size: bytes, or a number with KB, MB, GB or KiB, MiB, GiB; a larger tensor is a shard alone.
    safe_serialization: safetensors, else a PyTorch pickle.
    state_dict: tensors to write instead of the model's own, under canonical names.
    stored: for canonical names that files hold in another form, the tensors of that form by Hub name.

    New files are written beside the old ones and take their place only when all are complete; on a failure
    the old files are as they were. Shards of an earlier save that are no longer needed go last.
    """
    limit = parse_size(max_shard_size)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = hub_state_dict(model, state_dict, stored)
    name = with_variant("model.safetensors" if safe_serialization else "pytorch_model.bin", variant)
    shards = _shards(tensors, limit, name)
    write = _write_safetensors if safe_serialization else _write_pickle
    files: dict[str, Callable[[Path], object]] = {
        file: (lambda path, group=group: write({n: tensors[n] for n in group}, path))  # type: ignore[misc]
        for file, group in shards.items()
    }
    if len(shards) > 1:
        index_name = with_variant(
            f"{'model.safetensors' if safe_serialization else 'pytorch_model.bin'}.index.json", variant
        )
        text = _index(model, tensors, shards)
        files[index_name] = lambda path: path.write_text(text, encoding="utf-8")
    written = _replace(folder, files)
    _remove_stale(folder, name, set(files))
    return written


def hub_state_dict(
    model: nn.Module,
    state_dict: Mapping[str, Tensor] | None = None,
    stored: Mapping[str, Mapping[str, Tensor]] | None = None,
) -> dict[str, Tensor]:
    """The tensors that a save writes, by Hub name, in the order of the model; of tied ones the owner's.

    Raises WeightsMismatch when ``state_dict`` lacks a tensor, and CheckpointError for one without memory.
    """
    places = slots(model)
    aliases = tie_groups(places, dict(Policies.of(model).ties))
    rows = [row for row in NamePlan.of(model).rows if not any(name in aliases for name in row.canonical)]
    held = {name: places[name].tensor.detach() for row in rows for name in row.canonical}
    if state_dict is not None:
        absent = [name for name in held if name not in state_dict]
        if absent:
            raise WeightsMismatch(
                f"state_dict lacks {len(absent)} tensors of {type(model).__name__}: "
                f"{', '.join(absent[:10])}. It takes the names of model.state_dict()."
            )
        held = {name: state_dict[name].detach() for name in held}
    empty = [name for name, tensor in held.items() if tensor.is_meta]
    if empty:
        raise CheckpointError(
            f"{', '.join(empty[:10])} have no values (meta device); load the weights first."
        )
    found: dict[str, Tensor] = {}
    for row in rows:
        if stored is not None and row.canonical[0] in stored:
            found.update(stored[row.canonical[0]])
        elif row.op is None:
            found[row.hub[0]] = held[row.canonical[0]]
        else:
            found.update(row.op.to_hub([held[name] for name in row.canonical]))
    return found


def parse_size(size: int | str) -> int:
    """Bytes from ``5_000_000_000``, ``"5GB"`` (decimal) or ``"5GiB"`` (binary)."""
    if isinstance(size, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", size)
        if found is None or found[2].upper() not in _UNITS:
            raise ValueError(
                f"max_shard_size={size!r}: give bytes as an int, or a number and a unit as in '5GB'"
            )
        size = int(float(found[1]) * _UNITS[found[2].upper()])
    if size <= 0:
        raise ValueError(f"max_shard_size={size} leaves no room for a tensor; give more than 0 bytes")
    return size


def _shards(tensors: Mapping[str, Tensor], limit: int, name: str) -> dict[str, list[str]]:
    """File names to tensor names: filled in order, each up to ``limit`` bytes."""
    groups: list[list[str]] = [[]]
    size = 0
    for tensor_name, tensor in tensors.items():
        nbytes = tensor.numel() * tensor.element_size()
        if groups[-1] and size + nbytes > limit:
            groups.append([])
            size = 0
        groups[-1].append(tensor_name)
        size += nbytes
    if len(groups) == 1:
        return {name: groups[0]}
    stem, _, suffix = name.rpartition(".")
    return {f"{stem}-{i:05d}-of-{len(groups):05d}.{suffix}": group for i, group in enumerate(groups, 1)}


def _index(model: nn.Module, tensors: Mapping[str, Tensor], shards: Mapping[str, Sequence[str]]) -> str:
    total = sum(t.numel() * t.element_size() for t in tensors.values())
    data = {
        "metadata": {"total_parameters": sum(p.numel() for p in model.parameters()), "total_size": total},
        "weight_map": {name: file for file, group in shards.items() for name in group},
    }
    return json.dumps(data, indent=2, sort_keys=True) + "\n"


def _write_safetensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    from safetensors.torch import save_file

    # a tensor of its own memory each: the format refuses views that share
    ready = {name: _own(tensor) for name, tensor in tensors.items()}
    save_file(ready, path, metadata={"format": "pt"})


def _own(tensor: Tensor) -> Tensor:
    tensor = tensor.cpu().contiguous()
    whole = tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    return tensor if whole else tensor.clone()


def _write_pickle(tensors: Mapping[str, Tensor], path: Path) -> None:
    with path.open("wb") as file:  # not by path: the archive would carry the name of the temporary file
        torch.save({name: _own(tensor) for name, tensor in tensors.items()}, file)


def _replace(folder: Path, files: Mapping[str, Callable[[Path], object]]) -> list[Path]:
    """Write all files under other names, then put them in place; put everything back on a failure."""
    mark = uuid.uuid4().hex[:12]
    fresh = {name: folder / f".{name}.{mark}.new" for name in files}
    old = {name: folder / f".{name}.{mark}.old" for name in files}
    moved: list[str] = []
    try:
        for name, write in files.items():
            write(fresh[name])
            _flush(fresh[name])
        for name in files:
            moved.append(name)
            if (folder / name).exists():
                os.replace(folder / name, old[name])
            os.replace(fresh[name], folder / name)
    except BaseException:
        for name in moved:
            if old[name].exists():
                os.replace(old[name], folder / name)
            elif not fresh[name].exists():
                (folder / name).unlink(missing_ok=True)
        raise
    finally:
        for path in (*fresh.values(), *old.values()):
            path.unlink(missing_ok=True)
    _flush(folder)
    return [folder / name for name in files]


def _flush(path: Path) -> None:
    """Have the system write ``path`` to the disk; a folder only where the platform can."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_stale(folder: Path, name: str, current: set[str]) -> None:
    """Remove files of an earlier save of the same format and variant that the new index does not name."""
    stem, _, suffix = name.rpartition(".")
    shard = re.compile(rf"{re.escape(stem)}(-\d{{5}}-of-\d{{5}})?\.{re.escape(suffix)}")
    base = re.sub(r"^(model|pytorch_model)(?:\.(.+))?$", r"\1", stem)
    variant = stem.removeprefix(base).removeprefix(".") or None
    index = with_variant(f"{base}.{suffix}.index.json", variant)
    for path in folder.iterdir():
        if path.name not in current and (shard.fullmatch(path.name) or path.name == index):
            path.unlink()
