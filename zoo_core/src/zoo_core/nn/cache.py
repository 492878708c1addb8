"""Keys, values and states that a decoder keeps between calls.

A `Cache` holds a slot for every layer that asks for one. Slots grow by steps and are written in place, so
that appending a token copies that token alone. What a slot keeps (everything, a window, a recurrent state)
is the layer's decision; the cache only numbers, reorders and measures them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor


def positions_after(past: int | Tensor, count: int, device: torch.device) -> Tensor:
    """(count,) the positions that follow `past` others, which a static cache counts on its device."""
    if isinstance(past, int):
        return torch.arange(past, past + count, device=device)
    return past + torch.arange(count, device=device)


class Slot:
    """What one layer keeps. Batch is the first dimension of every tensor in it."""

    #: index, among all positions, of the first key that `update` returns
    offset: int = 0
    #: positions seen so far, kept or not
    seen: int = 0

    def tensors(self) -> dict[str, Tensor]:
        """The kept tensors by attribute name; what reordering and repeating act on."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        """Replace every kept tensor by `change` of it."""
        for name, value in self.tensors().items():
            setattr(self, name, change(value))

    def nbytes(self) -> int:
        """Bytes of the kept tensors."""
        return sum(t.untyped_storage().nbytes() for t in self.tensors().values())

    def reserve(self, capacity: int) -> None:
        """Make the next growth large enough for `capacity` positions."""

    def crop(self, length: int) -> None:
        """Forget every position from `length` on."""
        raise NotImplementedError(f"{type(self).__name__} cannot forget single positions")

    def reset(self) -> None:
        """Forget everything and keep the memory."""
        self.seen = 0


class KeyValueSlot(Slot):
    """All keys and values of a layer, (batch, heads, positions, head width) each."""

    step = 256

    def __init__(self, capacity: int = 0) -> None:
        self.capacity = capacity
        self.key: Tensor | None = None
        self.value: Tensor | None = None

    def update(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Append (batch, heads, new, width) and return all positions, without copying the old ones."""
        start, end = self.seen, self.seen + key.shape[2]
        if self.key is None or self.value is None or end > self.key.shape[2]:
            self._grow(key, value, end)
        assert self.key is not None and self.value is not None
        self.key[:, :, start:end] = key
        self.value[:, :, start:end] = value
        self.seen = end
        return self.key[:, :, :end], self.value[:, :, :end]

    def _grow(self, key: Tensor, value: Tensor, needed: int) -> None:
        room = self.capacity
        if needed > room:
            more = needed if self.key is None else needed * 5 // 4
            room = -(-more // self.step) * self.step
        for name, new, old in (("key", key, self.key), ("value", value, self.value)):
            grown = new.new_empty((new.shape[0], new.shape[1], room, new.shape[3]))
            if old is not None:
                grown[:, :, : self.seen] = old[:, :, : self.seen]
            setattr(self, name, grown)

    def filled(self) -> slice:
        """The part of the buffers that holds positions."""
        return slice(0, self.seen)

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        """As `Slot.apply`, without touching room that is not yet filled."""
        held = self.filled()
        for name, old in self.tensors().items():
            changed = change(old[:, :, held])
            if changed.shape[0] == old.shape[0]:
                old[:, :, held] = changed
                continue
            buffer = changed.new_empty((*changed.shape[:2], *old.shape[2:]))
            buffer[:, :, held] = changed
            setattr(self, name, buffer)

    def reserve(self, capacity: int) -> None:
        self.capacity = max(self.capacity, capacity)

    def crop(self, length: int) -> None:
        self.seen = min(self.seen, length)


class SlidingSlot(KeyValueSlot):
    """The keys and values that the next query of a window of `window` positions may see."""

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window
        self.start = 0  # where the kept positions begin in the buffer

    def update(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        new = key.shape[2]
        kept = min(self.seen, self.window - 1)
        if self.key is None or self.value is None or self.start + kept + new > self.key.shape[2]:
            self._compact(key, value, kept, new)
        assert self.key is not None and self.value is not None
        first, end = self.start, self.start + kept + new
        self.key[:, :, end - new : end] = key
        self.value[:, :, end - new : end] = value
        self.offset = self.seen - kept
        self.seen += new
        self.start = max(first, end - (self.window - 1))
        return self.key[:, :, first:end], self.value[:, :, first:end]

    def _compact(self, key: Tensor, value: Tensor, kept: int, new: int) -> None:
        room = kept + new if new > self.window else 2 * self.window + new
        for name, tensor, old in (("key", key, self.key), ("value", value, self.value)):
            grown = tensor.new_empty((tensor.shape[0], tensor.shape[1], room, tensor.shape[3]))
            if old is not None:
                grown[:, :, :kept] = old[:, :, self.start : self.start + kept]
            setattr(self, name, grown)
        self.start = 0

    def filled(self) -> slice:
        return slice(self.start, self.start + min(self.seen, self.window - 1))

    def crop(self, length: int) -> None:
        if length < self.seen:
            raise ValueError("a sliding cache has dropped what cropping would need; use Cache(sliding=False)")

    def reset(self) -> None:
        super().reset()
        self.start = self.offset = 0


class FixedSlot(Slot):
    """What is computed once and only read afterwards: keys and values of an encoder's states."""

    def __init__(self) -> None:
        self.key: Tensor | None = None
        self.value: Tensor | None = None

    def crop(self, length: int) -> None:
        """Nothing to forget: the source does not grow."""

    def reset(self) -> None:
        self.key = self.value = None


class RowSlot(Slot):
    """A value of each row that growing does not change, (batch, ...): how far its positions are shifted."""

    value: Tensor | None = None

    def crop(self, length: int) -> None:
        if length == 0:
            self.value = None

    def reset(self) -> None:
        self.value = None


class StateSlot(Slot):
    """Recurrent state: named tensors that each call replaces."""

    def __init__(self) -> None:
        self.state: dict[str, Tensor] = {}

    def tensors(self) -> dict[str, Tensor]:
        return dict(self.state)

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        self.state = {name: change(value) for name, value in self.state.items()}

    def reset(self) -> None:
        super().reset()
        self.state.clear()


SlotT = TypeVar("SlotT", bound=Slot)


class Cache:
    """The slots of a model's layers.

    Args:
        capacity: positions to make room for at once; generation passes the final length.
        sliding: whether windowed layers may drop what they can no longer see; without it they keep
            everything, so that `crop` works.
    """

    #: whether the keys returned by `update` are exactly the positions seen so far
    contiguous = True
    #: whether each call of the model gives new contents rather than writing them into this object
    replaced = False

    def __init__(self, *, capacity: int = 0, sliding: bool = True) -> None:
        self.capacity = capacity
        self.sliding = sliding
        self.slots: dict[tuple[str, int], Slot] = {}

    def slot(self, kind: str, layer: int, make: Callable[[], SlotT]) -> SlotT:
        """The slot of `kind` ("self", "cross", "state") of a layer, made on first use."""
        key = (kind, layer)
        if key not in self.slots:
            self.slots[key] = make()
        return self.slots[key]  # type: ignore[return-value]

    def attention(self, layer: int, *, window: int | None = None) -> KeyValueSlot:
        """The slot of a layer's self-attention."""
        if window is not None and self.sliding:
            return self.slot("self", layer, lambda: SlidingSlot(window))
        return self.slot("self", layer, lambda: KeyValueSlot(self.capacity))

    def cross_attention(self, layer: int) -> FixedSlot:
        """The slot of a layer's cross-attention."""
        return self.slot("cross", layer, FixedSlot)

    def state(self, layer: int) -> StateSlot:
        """The slot of a recurrent layer; the layer adds to its `seen` what it has consumed."""
        return self.slot("state", layer, StateSlot)

    @property
    def length(self) -> int:
        """Positions seen so far; a static cache gives a tensor, which costs an accelerator no wait."""
        return max((slot.seen for slot in self.slots.values()), default=0)

    @property
    def rows(self) -> int | None:
        """Sequences that are kept; None before the first."""
        kept = (tensor for slot in self.slots.values() for tensor in slot.tensors().values())
        return next((len(tensor) for tensor in kept if tensor.dim()), None)

    @property
    def can_crop(self) -> bool:
        """Whether single positions can be forgotten: no recurrent states, no windows that dropped any."""
        return not any(isinstance(slot, StateSlot | SlidingSlot) for slot in self.slots.values())

    def reserve(self, capacity: int) -> None:
        """Make room for `capacity` positions at the next growth, so that it is the last one."""
        self.capacity = max(self.capacity, capacity)
        for slot in self.slots.values():
            slot.reserve(capacity)

    @property
    def has_source(self) -> bool:
        """Whether keys and values of an encoder are kept."""
        return any(isinstance(slot, FixedSlot) and slot.key is not None for slot in self.slots.values())

    def taking(self, returned: object, *, rows: int) -> Cache:
        """The cache to go on with after a call of the model that returned `returned` for its `rows` rows."""
        return returned if isinstance(returned, Cache) else self

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """`length`, under the name that callers of the reference use."""
        return self.length

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        """Replace every kept tensor by `change` of it; the batch is the first dimension."""
        for slot in self.slots.values():
            slot.apply(change)

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Row i becomes what row beam_idx[i] was."""
        self.apply(lambda kept: kept.index_select(0, beam_idx.to(kept.device)))

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Each row `repeats` times in a row."""
        self.apply(lambda kept: kept.repeat_interleave(repeats, dim=0))

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep the rows `indices` only."""
        self.reorder_cache(indices)

    def crop(self, max_length: int) -> None:
        """Forget positions from `max_length` on; a negative number counts from the end."""
        length = max_length if max_length >= 0 else self.length + max_length
        for slot in self.slots.values():
            slot.crop(length)

    def reset(self) -> None:
        """Forget everything and keep the memory."""
        for slot in self.slots.values():
            slot.reset()

    def memory(self) -> int:
        """Bytes of the kept tensors."""
        return sum(slot.nbytes() for slot in self.slots.values())

    def __len__(self) -> int:
        return len({layer for _, layer in self.slots})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(layers={len(self)}, length={self.length})"


DynamicCache = Cache
