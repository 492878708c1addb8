"""A cache that keeps older keys and values as small integers (https://arxiv.org/abs/2402.02750)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from zoo_core.nn.cache import Cache, KeyValueSlot


@dataclass(frozen=True, slots=True)
class Quantization:
    """How values are stored.

    bits: 2, 4 or 8. group_size: neighbouring features that share a scale and an offset. residual: the
    newest positions that stay as they are.
    """

    bits: int = 4
    group_size: int = 64
    residual: int = 128

    def __post_init__(self) -> None:
        if self.bits not in (2, 4, 8):
            raise ValueError(f"nbits={self.bits}: a quantized cache stores 2, 4 or 8 bits")
        if self.group_size < 1 or self.residual < 1:
            raise ValueError("q_group_size and residual_length must be positive")


class Packed:
    """A quantised tensor (batch, heads, positions, width)."""

    def __init__(self, values: Tensor, scheme: Quantization) -> None:
        self.bits, self.dtype = scheme.bits, values.dtype
        width = values.shape[-1]
        group = scheme.group_size if width % scheme.group_size == 0 else width
        grouped = values.float().unflatten(-1, (-1, group))
        low, high = grouped.amin(-1, keepdim=True), grouped.amax(-1, keepdim=True)
        scale = ((high - low) / (2**self.bits - 1)).clamp(min=torch.finfo(torch.float32).tiny)
        codes = ((grouped - low) / scale).round().to(torch.uint8).flatten(-2)
        self.low, self.scale = low.to(self.dtype), scale.to(self.dtype)
        self.codes = _pack(codes, self.bits)

    def unpack(self) -> Tensor:
        """The values, within half a quantisation step."""
        codes = _unpack(self.codes, self.bits).to(self.dtype)
        grouped = codes.unflatten(-1, (self.low.shape[-2], -1))
        return (grouped * self.scale + self.low).flatten(-2)

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        self.codes, self.low, self.scale = change(self.codes), change(self.low), change(self.scale)

    def nbytes(self) -> int:
        return sum(t.untyped_storage().nbytes() for t in (self.codes, self.low, self.scale))


def _pack(codes: Tensor, bits: int) -> Tensor:
    per_byte = 8 // bits
    if per_byte == 1:
        return codes
    if codes.shape[-1] % per_byte:
        raise ValueError(f"a head of {codes.shape[-1]} features cannot be packed {per_byte} to a byte")
    shifts = torch.arange(0, 8, bits, device=codes.device, dtype=torch.uint8)
    spread = codes.unflatten(-1, (-1, per_byte)) << shifts
    return spread.sum(-1, dtype=torch.uint8)


def _unpack(packed: Tensor, bits: int) -> Tensor:
    if bits == 8:
        return packed
    shifts = torch.arange(0, 8, bits, device=packed.device, dtype=torch.uint8)
    return ((packed[..., None] >> shifts) & (2**bits - 1)).flatten(-2)


class QuantizedSlot(KeyValueSlot):
    """The newest positions as they are, the older ones quantised in stretches of `residual`."""

    def __init__(self, scheme: Quantization) -> None:
        super().__init__(capacity=scheme.residual)
        self.scheme = scheme
        self.packed: list[tuple[Packed, Packed]] = []
        self.recent = 0

    def update(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        total, self.seen = self.seen + key.shape[2], self.recent
        new_key, new_value = super().update(key, value)
        stretches = [(k.unpack(), v.unpack()) for k, v in self.packed]
        keys = torch.cat([k for k, _ in stretches] + [new_key], dim=2)
        values = torch.cat([v for _, v in stretches] + [new_value], dim=2)
        self.recent = self.seen
        if self.recent >= self.scheme.residual:
            self.packed.append((Packed(new_key, self.scheme), Packed(new_value, self.scheme)))
            self.key = self.value = None
            self.recent = 0
        self.seen = total
        return keys, values

    def filled(self) -> slice:
        return slice(0, self.recent)

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        super().apply(change)
        for pair in self.packed:
            for kept in pair:
                kept.apply(change)

    def reserve(self, capacity: int) -> None:
        """Nothing: what is not quantised is never long."""

    def crop(self, length: int) -> None:
        forgotten = self.seen - length
        if forgotten > self.recent:
            raise ValueError("a quantized cache can forget only what it has not quantised yet")
        if forgotten > 0:
            self.recent -= forgotten
            self.seen = length

    def reset(self) -> None:
        super().reset()
        self.packed.clear()
        self.recent = 0

    def nbytes(self) -> int:
        return super().nbytes() + sum(kept.nbytes() for pair in self.packed for kept in pair)


class QuantizedCache(Cache):
    """See `Quantization`; windowed layers keep everything.

    Args:
        nbits, q_group_size, residual_length: its fields, under the names of generation_config.json.
    """

    def __init__(self, *, nbits: int = 4, q_group_size: int = 64, residual_length: int = 128) -> None:
        super().__init__(sliding=False)
        self.scheme = Quantization(nbits, q_group_size, residual_length)

    def attention(self, layer: int, *, window: int | None = None) -> KeyValueSlot:
        return self.slot("self", layer, lambda: QuantizedSlot(self.scheme))
