"""Weights that bitsandbytes quantised before they were saved, as float tensors and as they lie in the file.

In 8 bits a `weight` (out, in) of int8 stands beside its rows' scales `SCB`; in 4 bits a packed `weight`
stands beside `weight.absmax`, `weight.quant_map`, ... and a JSON description of its shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from zoo_core.checkpoint import TensorInfo, WeightSource
from zoo_core.errors import CheckpointFormatError

_STATE = ".quant_state.bitsandbytes__"
_ROWS = 0  # weight_format of matrices that lie row by row


@dataclass
class Stored:
    """One quantised weight: its name, and those of the tensors beside it by their last part."""

    name: str
    bits: int
    shape: tuple[int, ...]
    beside: dict[str, str] = field(default_factory=dict)


class StoredWeights(WeightSource):
    """A source whose quantised weights read as the float32 matrices that they stand for."""

    def __init__(self, source: WeightSource) -> None:
        self.source, self.description = source, source.description
        self.stored = dict(_find(source))
        hidden = {name for one in self.stored.values() for name in one.beside.values()}
        self.tensors = {
            name: TensorInfo("F32", self.stored[name].shape) if name in self.stored else info
            for name, info in source.tensors.items()
            if name not in hidden
        }

    @property
    def names_canonical(self) -> bool:  # type: ignore[override]
        """As the source's."""
        return self.source.names_canonical

    def read(self, name: str, *, keep: bool = True) -> Tensor:
        if name not in self.stored:
            return self.source.read(name, keep=keep)
        found = self.parts(name)
        if self.stored[name].bits == 8:
            return found["weight"].float() * (found["SCB"].float() / 127)[:, None]
        from zoo_core.quantization.layers import unpacked

        return unpacked(found["weight"], four_bit_state(found)).float()

    def parts(self, name: str) -> dict[str, Tensor]:
        """The tensors of a quantised weight as they are in the file: "weight", "SCB", "weight.absmax", ..."""
        beside = self.stored[name].beside
        return {"weight": self.source.read(name), **{k: self.source.read(v) for k, v in beside.items()}}

    def shared(self, name: str) -> bool:
        return name not in self.stored and self.source.shared(name)

    def close(self) -> None:
        self.source.close()


def four_bit_state(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Of the tensors of a 4-bit weight those that describe it: "absmax", "quant_map", ..."""
    return {name.removeprefix("weight."): tensor for name, tensor in parts.items() if name != "weight"}


def _find(source: WeightSource) -> list[tuple[str, Stored]]:
    found: list[tuple[str, Stored]] = []
    for name, info in source.tensors.items():
        if not name.endswith("weight") or info.dtype not in ("I8", "U8", "F16", "BF16", "F32"):
            continue
        prefix = name.removesuffix("weight")
        if f"{prefix}SCB" in source.tensors:
            beside = {k: prefix + k for k in ("SCB", "weight_format") if prefix + k in source.tensors}
            _check_rows(source, name, beside)
            found.append((name, Stored(name, 8, info.shape, beside)))
            continue
        keys = [f"{name}{_STATE}{kind}" for kind in ("nf4", "fp4")]
        described = next((key for key in keys if key in source.tensors), None)
        if described is not None:
            kinds = (".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", described[len(name) :])
            beside = {f"weight{k}": name + k for k in kinds if name + k in source.tensors}
            found.append((name, Stored(name, 4, _shape(source, described), beside)))
    return found


def _check_rows(source: WeightSource, name: str, beside: Mapping[str, str]) -> None:
    rows = source.tensors[beside["SCB"]].shape
    if source.tensors[name].dtype != "I8" or rows != source.tensors[name].shape[:1]:
        raise CheckpointFormatError(
            f"{source.description}: {name} is {source.tensors[name].dtype} {source.tensors[name].shape} with "
            f"scales {rows}; an 8-bit weight is I8 with a scale for each row"
        )
    if "weight_format" in beside and int(source.read(beside["weight_format"])) != _ROWS:
        raise CheckpointFormatError(
            f"{source.description}: {name} was saved in a layout of one kind of GPU; save it again with a "
            "bitsandbytes of 0.43 or newer"
        )


def _shape(source: WeightSource, described: str) -> tuple[int, ...]:
    """The shape that a 4-bit weight's description gives; the loader holds it against the model's."""
    info = source.tensors[described]
    try:
        if info.elements > 65536:
            raise ValueError("it is too long")
        values: Any = json.loads(bytes(source.read(described).tolist()))
        shape = tuple(int(size) for size in values["shape"])
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointFormatError(
            f"{source.description}: {described} is no description: {error}"
        ) from error
    return shape
