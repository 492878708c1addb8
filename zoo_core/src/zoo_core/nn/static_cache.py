"""A cache of fixed shapes, whose positions are tensors: what a compiled decode step needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from zoo_core.nn.cache import Cache, KeyValueSlot


class StaticSlot(KeyValueSlot):
    """Keys and values in buffers of `capacity` positions; `update` returns the buffers whole.

    What is not filled yet is hidden by the causal rule, because its positions lie after every query.
    """

    position: Tensor | None = None  # (), positions written so far

    @property
    def seen(self) -> Any:
        return 0 if self.position is None else self.position

    @seen.setter
    def seen(self, value: int) -> None:
        if self.position is not None:
            self.position.fill_(value)

    def update(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.key is None or self.value is None or self.position is None:
            self._allocate(key, value)
        assert self.key is not None and self.value is not None and self.position is not None
        index = self.position + torch.arange(key.shape[2], device=key.device)
        self.key.index_copy_(2, index, key)
        self.value.index_copy_(2, index, value)
        self.position.add_(key.shape[2])
        return self.key, self.value

    def _allocate(self, key: Tensor, value: Tensor) -> None:
        if key.shape[2] > self.capacity:
            raise ValueError(
                f"{key.shape[2]} tokens do not fit the static cache of {self.capacity} positions; "
                f"make it larger: StaticCache(capacity={key.shape[2]})"
            )
        self.position = torch.zeros((), dtype=torch.int64, device=key.device)
        for name, new in (("key", key), ("value", value)):
            setattr(self, name, new.new_zeros((new.shape[0], new.shape[1], self.capacity, new.shape[3])))

    def tensors(self) -> dict[str, Tensor]:
        return {name: kept for name in ("key", "value") if (kept := getattr(self, name)) is not None}

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        for name, old in self.tensors().items():
            changed = change(old)
            if changed.shape == old.shape:
                old.copy_(changed)
            else:
                setattr(self, name, changed)

    def reserve(self, capacity: int) -> None:
        if capacity > self.capacity:
            raise ValueError(
                f"a static cache of {self.capacity} positions cannot hold {capacity}; "
                f"make it larger: StaticCache(capacity={capacity})"
            )

    def crop(self, length: int) -> None:
        if self.position is not None:
            self.position.clamp_(max=length)


class StaticCache(Cache):
    """Room for `capacity` positions, allocated on first use; windowed layers keep everything.

    A decode step with it compiles once: torch.compile(model.forward, fullgraph=True).
    """

    contiguous = False

    def __init__(self, capacity: int) -> None:
        super().__init__(capacity=capacity, sliding=False)

    def attention(self, layer: int, *, window: int | None = None) -> KeyValueSlot:
        return self.slot("self", layer, lambda: StaticSlot(self.capacity))

    def reserve(self, capacity: int) -> None:
        StaticSlot(self.capacity).reserve(capacity)

    @property
    def length(self) -> Any:
        """Positions seen so far: 0, or a tensor () on the cache's device."""
        for slot in self.slots.values():
            if isinstance(slot, StaticSlot):
                return slot.seen
        return super().length
