"""Which files of a repository hold the weights: one file, or shards named by an index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from zoo_core.checkpoint.headers import TensorInfo
from zoo_core.errors import CheckpointFormatError, FileNotInRepository, UnsafePath
from zoo_core.hub import Repository

INDEX_LIMIT = 128 * 2**20
"""Bytes; an index of 500,000 names has about 50 MB."""


class Format(Enum):
    """A format of weight files; the value is how it is called in messages."""

    SAFETENSORS = "safetensors"
    PICKLE = "PyTorch"
    TENSORFLOW_H5 = "TensorFlow (HDF5)"
    TENSORFLOW_CHECKPOINT = "TensorFlow checkpoint"
    FLAX = "Flax"


@dataclass(frozen=True)
class WeightFiles:
    """The files of one checkpoint, on disk, in the order of the index."""

    format: Format
    files: tuple[Path, ...]
    weight_map: Mapping[str, str] | None = None
    """Name of each tensor to the file name of its shard; None without an index."""
    index: Path | None = None

    def check(self, names_by_file: Mapping[str, Iterable[str]]) -> None:
        """Compare the index with what the shards hold (full path to names); no name may stand twice."""
        held: dict[str, str] = {}
        for file, names in names_by_file.items():
            for name in names:
                if (other := held.setdefault(name, file)) != file:
                    raise CheckpointFormatError(f"{name!r} stands both in {other} and in {file}.")
        if self.weight_map is None:
            return
        absent = [name for name in self.weight_map if name not in held]
        elsewhere = [
            n for n, shard in self.weight_map.items() if n in held and Path(held[n]).name != Path(shard).name
        ]
        if absent or elsewhere:
            wrong = "in no shard" if absent else "in another shard than it says"
            raise CheckpointFormatError(
                f"{self.index} names {len(absent or elsewhere)} tensors that are {wrong}: "
                f"{', '.join((absent or elsewhere)[:5])}. The index and the shards are of different "
                "checkpoints."
            )


def with_variant(filename: str, variant: str | None) -> str:
    """``model.safetensors`` -> ``model.fp16.safetensors``; an index keeps ``.json`` at the end."""
    if not variant:
        return filename
    stem, _, suffix = filename.rpartition(".")
    return f"{stem}.{variant}.{suffix}"


_CANDIDATES: dict[Format, tuple[str, ...]] = {
    Format.SAFETENSORS: ("model.safetensors", "model.safetensors.index.json"),
    Format.PICKLE: ("pytorch_model.bin", "pytorch_model.bin.index.json"),
    Format.TENSORFLOW_H5: ("tf_model.h5", "tf_model.h5.index.json"),
    Format.TENSORFLOW_CHECKPOINT: ("model.ckpt.index",),
    Format.FLAX: ("flax_model.msgpack", "flax_model.msgpack.index.json"),
}
_KEYWORDS = {
    Format.SAFETENSORS: "use_safetensors=None",
    Format.PICKLE: "use_safetensors=None",
    Format.TENSORFLOW_H5: "from_tf=True",
    Format.TENSORFLOW_CHECKPOINT: "from_tf=True",
    Format.FLAX: "from_flax=True",
}
_TENSORFLOW = (Format.TENSORFLOW_H5, Format.TENSORFLOW_CHECKPOINT)
_SUFFIXES = {
    ".safetensors": Format.SAFETENSORS,
    ".bin": Format.PICKLE,
    ".pt": Format.PICKLE,
    ".pth": Format.PICKLE,
    ".h5": Format.TENSORFLOW_H5,
    ".index": Format.TENSORFLOW_CHECKPOINT,
    ".msgpack": Format.FLAX,
}


def locate_weights(
    repository: Repository,
    *,
    variant: str | None = None,
    use_safetensors: bool | None = None,
    from_tf: bool = False,
    from_flax: bool = False,
) -> WeightFiles:
    """The weight files of ``repository``, on disk.

    Order: safetensors, then PyTorch pickles unless ``use_safetensors=True`` (``False``: pickles alone).
    ``from_tf`` and ``from_flax`` read those formats instead. A repository that was given as one file is
    that file. Raises FileNotInRepository, naming what there is and the keyword that would load it.
    """
    if from_tf and from_flax:
        raise ValueError(
            "from_tf=True and from_flax=True exclude each other; pass the one that the files are"
        )
    if repository.single_file is not None:
        return _single(repository.single_file, from_tf=from_tf, from_flax=from_flax)
    wanted = _wanted(use_safetensors, from_tf, from_flax)
    for kind in wanted:
        for filename in _CANDIDATES[kind]:
            found = repository.find(with_variant(filename, variant))
            if found is None:
                continue
            if kind is Format.TENSORFLOW_CHECKPOINT:
                stem = with_variant(filename, variant).removesuffix("index")
                data = [name for name in repository.files() if name.startswith(f"{stem}data-")]
                return WeightFiles(kind, (found, *repository.paths(data)))
            if not filename.endswith(".index.json"):
                return WeightFiles(kind, (found,))
            return _sharded(repository, kind, with_variant(filename, variant), found)
    raise _nothing(repository, wanted, variant)


def _wanted(use_safetensors: bool | None, from_tf: bool, from_flax: bool) -> tuple[Format, ...]:
    if from_tf:
        return _TENSORFLOW
    if from_flax:
        return (Format.FLAX,)
    if use_safetensors is None:
        return Format.SAFETENSORS, Format.PICKLE
    return (Format.SAFETENSORS,) if use_safetensors else (Format.PICKLE,)


def _single(file: Path, *, from_tf: bool, from_flax: bool) -> WeightFiles:
    kind = _SUFFIXES.get(file.suffix)
    if kind is None:
        raise CheckpointFormatError(
            f"{file}: weight files end in {', '.join(_SUFFIXES)}, not in {file.suffix!r}."
        )
    if kind in _TENSORFLOW and not from_tf:
        raise CheckpointFormatError(f"{file} is a {kind.value} file; pass from_tf=True to load it.")
    if kind is Format.FLAX and not from_flax:
        raise CheckpointFormatError(f"{file} is a Flax file; pass from_flax=True to load it.")
    if kind is Format.TENSORFLOW_CHECKPOINT:
        stem = file.name.removesuffix("index")
        data = (path for path in file.parent.iterdir() if path.name.startswith(f"{stem}data-"))
        return WeightFiles(kind, (file, *sorted(data)))
    return WeightFiles(kind, (file,))


def _sharded(repository: Repository, kind: Format, index_name: str, index: Path) -> WeightFiles:
    data = repository.read_json(index_name, max_bytes=INDEX_LIMIT)
    weight_map = data.get("weight_map")
    if (
        not isinstance(weight_map, dict)
        or not weight_map
        or not all(isinstance(v, str) for v in weight_map.values())
    ):
        raise CheckpointFormatError(f"{index}: weight_map is not an object from tensor names to file names.")
    shards = sorted(set(weight_map.values()))
    try:
        paths = repository.paths(shards)
    except UnsafePath as error:
        raise UnsafePath(f"{index} names a shard outside its folder. {error}") from error
    except FileNotInRepository as error:
        raise FileNotInRepository(f"{index} names shards that are not there. {error}") from error
    return WeightFiles(kind, tuple(paths), weight_map, index)


def _nothing(repository: Repository, wanted: tuple[Format, ...], variant: str | None) -> FileNotInRepository:
    """What to say when none of the wanted formats is there."""
    names = [with_variant(name, variant) for kind in wanted for name in _CANDIDATES[kind]]
    text = f"{repository.name!r} has no weights: none of {', '.join(names)}."
    for kind, candidates in _CANDIDATES.items():
        for filename in candidates:
            if variant and kind in wanted and repository.find(filename) is not None:
                return FileNotInRepository(
                    f"{text} There is {filename} without a variant: leave variant out."
                )
            if kind not in wanted and repository.find(with_variant(filename, variant)) is not None:
                return FileNotInRepository(f"{text} There is {filename}: pass {_KEYWORDS[kind]} to load it.")
    return FileNotInRepository(text)


def first_floating(tensors: Mapping[str, TensorInfo]) -> str | None:
    """The dtype code of the first floating-point tensor, in the order of the file."""
    return next((info.dtype for info in tensors.values() if info.floating), None)
