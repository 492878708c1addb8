"""Checkpoints of TensorFlow and Flax as sources, under the names and shapes that PyTorch files would have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from zoo_core.checkpoint.headers import TensorInfo
from zoo_core.checkpoint.shards import Format, WeightFiles
from zoo_core.checkpoint.sources import ReadMode, WeightSource
from zoo_core.errors import CheckpointFormatError


def foreign_source(files: WeightFiles, *, mode: ReadMode = "auto") -> WeightSource:
    """The source for TensorFlow or Flax files."""
    raw: WeightSource
    if files.format is Format.FLAX:
        from zoo_core.checkpoint.flax import flax_source

        raw = flax_source(files, mode=mode)
        names = {name: flax_name(name) for name in raw.tensors}
    elif files.format is Format.TENSORFLOW_CHECKPOINT:
        from zoo_core.checkpoint.tensor_bundle import bundle_source

        raw = bundle_source(files, mode=mode)
        names = {name: tensorflow_name(name) for name in raw.tensors if not _training_state(name)}
    else:
        from zoo_core.checkpoint.hdf5 import Hdf5Source

        raw = Hdf5Source(files)
        names = {name: tensorflow_name(name) for name in raw.tensors}
    return RenamedSource(raw, names)


@dataclass(frozen=True)
class ForeignName:
    """The PyTorch name of a foreign tensor."""

    name: str
    kernel: bool = False
    """Whether it is the weight of a dense or convolution layer: its dimensions stand the other way round."""
    depthwise: bool = False

    def dims(self, ndim: int) -> tuple[int, ...] | None:
        """How to permute a tensor of ``ndim`` dimensions; None when it stays as it is.

        Dense (in, out) -> (out, in); convolution (*window, in, out) -> (out, in, *window); depthwise
        convolution (*window, in, multiplier) -> (in, multiplier, *window).
        """
        if not self.kernel or ndim < 2:
            return None
        window = tuple(range(ndim - 2))
        return (ndim - 2, ndim - 1, *window) if self.depthwise else (ndim - 1, ndim - 2, *window)


class RenamedSource(WeightSource):
    """Another source under PyTorch names, kernels turned round as they are read."""

    def __init__(self, raw: WeightSource, names: Mapping[str, ForeignName]) -> None:
        self.description = raw.description
        self._raw = raw
        self._origin: dict[str, tuple[str, tuple[int, ...] | None]] = {}
        tensors: dict[str, TensorInfo] = {}
        for old, new in names.items():
            info = raw.tensors[old]
            dims = new.dims(len(info.shape))
            if new.name in tensors:
                other = self._origin[new.name][0]
                raise CheckpointFormatError(
                    f"{raw.description}: {old!r} and {other!r} are both {new.name!r}."
                )
            shape = info.shape if dims is None else tuple(info.shape[d] for d in dims)
            tensors[new.name] = replace(info, shape=shape)
            self._origin[new.name] = old, dims
        self.tensors = tensors

    def read(self, name: str, *, keep: bool = True) -> Tensor:
        old, dims = self._origin[name]
        tensor = self._raw.read(old, keep=keep and dims is None)
        return tensor if dims is None else tensor.permute(dims).contiguous()

    def close(self) -> None:
        self._raw.close()


_LEAVES = {
    "kernel": "weight",
    "depthwise_kernel": "weight",
    "pointwise_kernel": "weight",
    "embeddings": "weight",
    "embedding": "weight",
    "scale": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "mean": "running_mean",
    "var": "running_var",
    "output_weights": "weight",
    "output_bias": "bias",
}
_KERNELS = {"kernel", "depthwise_kernel", "pointwise_kernel"}
_NUMBERED = re.compile(r"(layers?|block|stages?|h)_(\d+)")
_ATTRIBUTE = "/.ATTRIBUTES/VARIABLE_VALUE"


def flax_name(path: str) -> ForeignName:
    """The PyTorch name of a Flax parameter, given as ``encoder/layer/0/dense/kernel``."""
    parts = path.split("/")
    if parts[0] in ("params", "batch_stats") and len(parts) > 1:
        parts = parts[1:]
    return _foreign(parts, parts[-1])


def tensorflow_name(path: str) -> ForeignName:
    """The PyTorch name of a TensorFlow variable.

    Keras writes ``tf_bert_model/bert/encoder/layer_._0/dense/kernel:0``: a leading model name, ``_._`` before
    a number, ``scope___name`` for a name within a scope. The first BERT files write
    ``bert/encoder/layer_0/...`` and name embedding tables without a leaf.
    """
    path = path.removesuffix(_ATTRIBUTE).removesuffix(":0").replace("_._", "/")
    parts = [part.rpartition("___")[2] for part in path.split("/") if part]
    while len(parts) > 1 and parts[0].startswith("tf_"):
        parts = parts[1:]
    numbered: list[str] = []
    for part in parts:
        found = _NUMBERED.fullmatch(part)
        numbered += [found[1], found[2]] if found else [part]
    leaf = numbered[-1]
    if leaf.endswith("_embeddings"):
        return ForeignName(".".join([*numbered, "weight"]))
    return _foreign(numbered, leaf)


def _foreign(parts: list[str], leaf: str) -> ForeignName:
    name = ".".join([*parts[:-1], _LEAVES.get(leaf, leaf)])
    return ForeignName(name, kernel=leaf in _KERNELS, depthwise=leaf == "depthwise_kernel")


def _training_state(name: str) -> bool:
    """Whether a variable belongs to the optimizer or the bookkeeping of a training run."""
    leaf = name.removesuffix(_ATTRIBUTE).rpartition("/")[2]
    return (
        leaf
        in ("adam_m", "adam_v", "global_step", "save_counter", "iter", "beta_1", "beta_2", "learning_rate")
        or leaf.startswith("AdamWeightDecayOptimizer")
        or ".OPTIMIZER_SLOT" in name
        or name.startswith(("_CHECKPOINTABLE", "optimizer/"))
    )
