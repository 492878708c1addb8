"""What can be said about a checkpoint without loading it: JSON files, file names and safetensors headers.

Of a repository on the hub that is not in the cache, only the JSON files and the first bytes of each weight
file are fetched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo_core import registry
from zoo_core.checkpoint.headers import BITS, TensorInfo, read_header
from zoo_core.errors import CheckpointFormatError, HubError, RegistryError
from zoo_core.hub import HubOptions, Repository

WEIGHT_FILES: Mapping[str, str] = {
    "model.safetensors": "safetensors",
    "model.safetensors.index.json": "safetensors",
    "pytorch_model.bin": "PyTorch pickle",
    "pytorch_model.bin.index.json": "PyTorch pickle",
    "tf_model.h5": "TensorFlow",
    "flax_model.msgpack": "Flax",
}
"""In the order in which a load looks for them."""

_PROCESSOR_FILES: Mapping[str, tuple[str, ...]] = {
    "processor_config.json": ("processor_class",),
    "preprocessor_config.json": ("processor_class", "image_processor_type", "feature_extractor_type"),
    "video_preprocessor_config.json": ("video_processor_type",),
}
_TOKENIZER_FILES = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "tokenizer.model",
)


@dataclass
class Weights:
    """The weight files that a load would take."""

    format: str
    files: list[str]
    bytes: int | None = None
    tensors: int | None = None
    parameters: dict[str, int] = field(default_factory=dict)
    """Elements by dtype code of the safetensors format (F32, BF16, ...)."""
    unread: str = ""
    """Why there are no figures."""


@dataclass
class Served:
    """A class that a JSON file asks for, and who provides it."""

    role: str
    name: str
    distribution: str | None


@dataclass
class Report:
    """Everything that ``zoo info`` shows."""

    name: str
    commit: str | None
    model_type: str | None
    architectures: list[str]
    config: dict[str, Any]
    weights: Weights | None
    distribution: str | None = None
    version: str | None = None
    auto_classes: dict[str, list[str]] = field(default_factory=dict)
    served: list[Served] = field(default_factory=list)
    remote_code: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def loadable(self) -> bool:
        """Whether installed packages provide an architecture for it."""
        return self.distribution is not None

    def builders(self) -> list[str]:
        """The Auto classes that build a class which the config's ``architectures`` names."""
        wanted = set(self.architectures)
        return [auto for auto, classes in self.auto_classes.items() if wanted.intersection(classes)]


def inspect(name: str, options: HubOptions) -> Report:
    """Gather the report of one checkpoint; raises the hub's errors when it cannot be reached at all."""
    repository = Repository(name, options=options)
    files = set(repository.files())
    config = repository.read_json("config.json") if "config.json" in files else {}
    model_type = config.get("model_type")
    if not isinstance(model_type, str):
        model_type = registry.match_name(name)
    report = Report(
        name=name,
        commit=repository.commit,
        model_type=model_type,
        architectures=_strings(config.get("architectures")),
        config=config,
        weights=_weights(repository, name, options, files),
    )
    _resolve(report)
    report.served = list(_served(repository, files, report))
    auto_map = config.get("auto_map")
    if isinstance(auto_map, dict):
        report.remote_code = {str(key): str(value) for key, value in auto_map.items()}
    return report


def _resolve(report: Report) -> None:
    if report.model_type is None:
        report.missing.append("config.json names no model_type, and none is part of the name")
        return
    try:
        found = registry.get(report.model_type)
        report.auto_classes = {
            auto: [candidate.reference.rpartition(":")[2] for candidate in found.candidates(auto)]
            for auto in found.auto_classes()
        }
    except RegistryError as error:
        report.missing.append(str(error))
        return
    report.distribution, report.version = found.distribution, found.version


def _weights(repository: Repository, name: str, options: HubOptions, files: set[str]) -> Weights | None:
    first = next((file for file in WEIGHT_FILES if file in files), None)
    if first is None:
        return None
    names = [first]
    if first.endswith(".index.json"):
        names = _shards(repository, first)
        if absent := [shard for shard in names if shard not in files]:
            return Weights(WEIGHT_FILES[first], names, unread=f"{absent[0]} is named by {first} and missing")
    weights = Weights(WEIGHT_FILES[first], names)
    if weights.format != "safetensors":
        if repository.is_local:
            weights.bytes = sum(repository.path(file).stat().st_size for file in names)
        weights.unread = "only safetensors files tell their tensors without being loaded"
        return weights
    counts: Counter[str] = Counter()
    total = tensors = 0
    try:
        for file in names:
            infos, size = _header(repository, name, options, file)
            total, tensors = total + size, tensors + len(infos)
            for info in infos:
                counts[info.dtype] += info.elements
    except (HubError, CheckpointFormatError) as error:
        weights.unread = str(error)
        return weights
    weights.bytes, weights.tensors, weights.parameters = total, tensors, dict(counts.most_common())
    return weights


def _shards(repository: Repository, index: str) -> list[str]:
    weight_map = repository.read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise CheckpointFormatError(f"{index} has no weight_map, the object from tensor to file.")
    return sorted(set(_strings([*weight_map.values()])))


def _header(
    repository: Repository, name: str, options: HubOptions, file: str
) -> tuple[list[TensorInfo], int]:
    """The tensors of a file and its size: from disk where it is there, else from the hub."""
    path = repository.path(file) if repository.is_local else _cached(name, options, repository.commit, file)
    if path is not None:
        header = read_header(path)
        return list(header.tensors.values()), header.size
    return _remote_header(name, options, repository.commit, file)


def _cached(name: str, options: HubOptions, commit: str | None, file: str) -> Path | None:
    from dataclasses import replace

    here = replace(options, local_files_only=True, force_download=False, revision=commit or options.revision)
    try:
        return Repository(name, options=here).find(file)
    except HubError:
        return None


def _remote_header(
    name: str, options: HubOptions, commit: str | None, file: str
) -> tuple[list[TensorInfo], int]:
    from huggingface_hub import HfApi

    from zoo_core.hub.environment import endpoint

    path = f"{options.subfolder}/{file}" if options.subfolder else file
    try:
        found = HfApi(endpoint=endpoint(), token=options.token).parse_safetensors_file_metadata(
            name, path, revision=commit or options.revision
        )
        infos = [TensorInfo(str(info.dtype), tuple(info.shape)) for info in found.tensors.values()]
        unknown = sorted({info.dtype for info in infos} - set(BITS))
        if unknown:
            raise CheckpointFormatError(f"{file}: unknown dtype {unknown[0]!r}.")
        return infos, max((info.data_offsets[1] for info in found.tensors.values()), default=0)
    except CheckpointFormatError:
        raise
    except Exception as error:  # the client has a dozen ways to say so; figures are no reason to fail
        raise HubError(f"the header of {file} could not be read: {type(error).__name__}: {error}") from error


def _served(repository: Repository, files: set[str], report: Report) -> Iterator[Served]:
    """The tokenizer and the processors that the checkpoint's files ask for."""
    providers = registry.providers("components")

    def provider(class_name: str) -> str | None:
        twins = (class_name, class_name.removesuffix("Fast"), f"{class_name}Fast")
        return next((providers[twin][0].distribution for twin in twins if twin in providers), None)

    if files.intersection(_TOKENIZER_FILES):
        settings = repository.read_json("tokenizer_config.json") if "tokenizer_config.json" in files else {}
        declared = settings.get("tokenizer_class")
        of_type = report.auto_classes.get("AutoTokenizer", [])
        found = provider(declared) if isinstance(declared, str) else None
        if found is None and of_type:
            declared, found = of_type[0], report.distribution
        if found is None and "tokenizer.json" in files:
            declared, found = "PreTrainedTokenizerFast", "zoo-core"
        yield Served("tokenizer", str(declared or "not named"), found)
    seen: set[str] = set()
    for file, keys in _PROCESSOR_FILES.items():
        settings = repository.read_json(file) if file in files else {}
        for key in keys:
            class_name = settings.get(key)
            if isinstance(class_name, str) and class_name not in seen:
                seen.add(class_name)
                role = key.removesuffix("_type").removesuffix("_class").replace("_", " ")
                yield Served(role, class_name, provider(class_name))


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
