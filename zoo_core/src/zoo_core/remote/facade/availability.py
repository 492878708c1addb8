"""What code of repositories asks about its surroundings: installed packages, versions, enumerations."""

from __future__ import annotations

import contextlib
import enum
import importlib.util
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, cached_property as cached_property
from typing import Any, TypedDict

import torch
from packaging import version


class ExplicitEnum(str, enum.Enum):  # noqa: UP042 - code of repositories expects str(member) to name it
    """An enumeration whose errors list its values."""

    @classmethod
    def _missing_(cls, value: object) -> Any:
        raise ValueError(f"{value!r} is not one of {', '.join(str(item.value) for item in cls)}")


class TensorType(ExplicitEnum):
    """What tokenizers and processors can return."""

    PYTORCH = "pt"
    NUMPY = "np"


class PaddingStrategy(ExplicitEnum):
    """How sequences of a batch are padded."""

    LONGEST = "longest"
    MAX_LENGTH = "max_length"
    DO_NOT_PAD = "do_not_pad"


class TruncationStrategy(ExplicitEnum):
    """What a tokenizer cuts from pairs that are too long."""

    ONLY_FIRST = "only_first"
    ONLY_SECOND = "only_second"
    LONGEST_FIRST = "longest_first"
    DO_NOT_TRUNCATE = "do_not_truncate"


TextInput = str
PreTokenizedInput = list[str]
EncodedInput = list[int]


class FlashAttentionKwargs(TypedDict, total=False):
    """Keywords of packed sequences."""

    cu_seq_lens_q: Any
    cu_seq_lens_k: Any
    max_length_q: int | None
    max_length_k: int | None


class TransformersKwargs(FlashAttentionKwargs, total=False):
    """Keywords that many forwards pass on."""

    num_items_in_batch: Any
    output_hidden_states: bool | None
    output_attentions: bool | None
    output_router_logits: bool | None


LossKwargs = TransformersKwargs


class OptionalDependencyNotAvailable(Exception):
    """A package that would be used is not installed."""


@cache
def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def true(*args: Any, **kwargs: Any) -> bool:
    """Always there."""
    return True


def false(*args: Any, **kwargs: Any) -> bool:
    """Never in a sandbox: kernels, compilers and launchers of other processes."""
    return False


def is_scipy_available() -> bool:
    return _installed("scipy")


def is_vision_available() -> bool:
    return _installed("PIL")


def is_torchvision_available() -> bool:
    return _installed("torchvision")


def is_timm_available() -> bool:
    return _installed("timm")


def is_einops_available() -> bool:
    return _installed("einops")


def is_accelerate_available(*args: Any, **kwargs: Any) -> bool:
    return _installed("accelerate")


def is_peft_available() -> bool:
    return _installed("peft")


def is_sentencepiece_available() -> bool:
    return _installed("sentencepiece")


def is_torch_greater_or_equal(library_version: str, accept_dev: bool = False) -> bool:
    return version.parse(version.parse(torch.__version__).base_version) >= version.parse(library_version)


def torch_int(x: Any) -> int:
    return int(x)


def torch_float(x: Any) -> float:
    return float(x)


def cached_file(*args: Any, **kwargs: Any) -> None:
    """Raises ``OSError``: the code of a repository fetches no files."""
    raise OSError("code of a repository cannot fetch files; those of its own repository are given to it")


get_checkpoint_shard_files = cached_file


def require_version(requirement: str, hint: str | None = None) -> None:
    """Nothing: the facade stands for one release, whatever else is installed."""


@contextlib.contextmanager
def no_init_weights(*args: Any, **kwargs: Any) -> Iterator[None]:
    """Nothing to skip: in the sandbox parameters are built without memory."""
    yield


def is_torch_tensor(x: Any) -> bool:
    return isinstance(x, torch.Tensor)


def to_py_obj(obj: Any) -> Any:
    """Tensors and arrays as lists, at any depth."""
    if isinstance(obj, Mapping):
        return {key: to_py_obj(value) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [to_py_obj(value) for value in obj]
    return obj.tolist() if hasattr(obj, "tolist") else obj


def _is_whitespace(char: str) -> bool:
    return char in " \t\n\r" or unicodedata.category(char) == "Zs"


def _is_control(char: str) -> bool:
    return char not in "\t\n\r" and unicodedata.category(char).startswith("C")


def _is_punctuation(char: str) -> bool:
    return (char.isascii() and char.isprintable() and not char.isalnum() and char != " ") or (
        unicodedata.category(char).startswith("P")
    )


DUMMY_INPUTS = [[7, 6, 0, 0, 1], [1, 2, 3, 0, 0], [0, 0, 0, 4, 5]]
DUMMY_MASK = [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 0, 1, 1]]
IMAGENET_STANDARD_MEAN = [0.5, 0.5, 0.5]
IMAGENET_STANDARD_STD = [0.5, 0.5, 0.5]
IMAGENET_DEFAULT_MEAN = [0.485, 0.456, 0.406]
IMAGENET_DEFAULT_STD = [0.229, 0.224, 0.225]
OPENAI_CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
OPENAI_CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
CONFIG_NAME = "config.json"
WEIGHTS_NAME = "pytorch_model.bin"
WEIGHTS_INDEX_NAME = "pytorch_model.bin.index.json"
SAFE_WEIGHTS_NAME = "model.safetensors"
SAFE_WEIGHTS_INDEX_NAME = "model.safetensors.index.json"
GENERATION_CONFIG_NAME = "generation_config.json"
