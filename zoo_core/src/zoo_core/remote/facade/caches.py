"""Caches with the methods that code of repositories calls, over the zoo's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from zoo_core.nn import cache as native


class _Growing(native.KeyValueSlot):
    """Keys and values that grow by concatenation, so that gradients may pass through them."""

    def update(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.key is not None and self.value is not None:
            key, value = torch.cat((self.key, key), dim=2), torch.cat((self.value, value), dim=2)
        self.key, self.value = key, value
        self.seen = key.shape[2]
        return key, value

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        if self.key is not None and self.value is not None:
            self.key, self.value = change(self.key), change(self.value)

    def crop(self, length: int) -> None:
        self.apply(lambda kept: kept[:, :, :length])
        self.seen = min(self.seen, length)

    def reset(self) -> None:
        self.key = self.value = None
        self.seen = 0


class Cache(native.Cache):
    """Keys and values of every layer, addressed by layer number."""

    is_compileable = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def attention(self, layer: int, *, window: int | None = None) -> native.KeyValueSlot:
        return self.slot("self", layer, _Growing)

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, cache_kwargs: Any = None
    ) -> tuple[Tensor, Tensor]:
        """Append (batch, heads, new, width) to a layer; returns all of its keys and values."""
        return self.attention(layer_idx).update(key_states, value_states)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Positions that the layer has seen."""
        slot = self.slots.get(("self", layer_idx))
        return slot.seen if slot is not None else 0

    def get_usable_length(self, new_seq_length: int, layer_idx: int = 0) -> int:
        return self.get_seq_length(layer_idx)

    def get_max_length(self) -> int | None:
        """None: the cache grows as needed."""
        return None

    get_max_cache_shape = get_max_length

    def get_mask_sizes(self, cache_position: Tensor, layer_idx: int = 0) -> tuple[int, int]:
        """Keys that attention will see, and the position of the first of them."""
        return self.get_seq_length(layer_idx) + int(cache_position.shape[0]), 0

    @property
    def seen_tokens(self) -> int:
        return self.get_seq_length()

    @property
    def key_cache(self) -> list[Tensor]:
        return [key for key, _ in self]

    @property
    def value_cache(self) -> list[Tensor]:
        return [value for _, value in self]

    def __getitem__(self, layer_idx: int) -> tuple[Tensor, Tensor]:
        slot = self.slots.get(("self", layer_idx))
        if not isinstance(slot, native.KeyValueSlot) or slot.key is None or slot.value is None:
            raise KeyError(f"the cache has no layer {layer_idx}; it has {len(self)}")
        return slot.key, slot.value

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return (self[layer] for layer in range(len(self)))

    def to_legacy_cache(self) -> tuple[tuple[Tensor, Tensor], ...]:
        """A tuple of (key, value), one for each layer."""
        return tuple(self)

    @classmethod
    def from_legacy_cache(cls, past_key_values: Any = None) -> Cache:
        """A cache with the contents of :meth:`to_legacy_cache`."""
        cache = cls()
        for layer, (key, value) in enumerate(past_key_values or ()):
            cache.update(key, value, layer)
        return cache


class DynamicCache(Cache):
    """A cache that grows as tokens come."""


class StaticCache(Cache):
    """Served by a growing cache: the same numbers, without the fixed memory."""


class SlidingWindowCache(Cache):
    """Served by a growing cache; the mask hides what lies outside of the window."""


class ReturnedCache(native.Cache):
    """Whatever a model's forward returned, passed to its next call: the tuples of older code.

    Such code moves rows by its own ``_reorder_cache``, as the batch may be any dimension of its tensors.
    """

    replaced = True
    can_crop = False

    def __init__(self, reorder: Callable[[Any, Tensor], Any] | None) -> None:
        super().__init__()
        self.contents: Any = None
        self._reorder = reorder
        self._rows = 0

    def taking(self, returned: Any, *, rows: int) -> native.Cache:
        if isinstance(returned, native.Cache):
            return returned
        self.contents, self._rows = returned, rows
        return self

    @property
    def length(self) -> int:
        """0: what the contents hold is the model's business, and generation counts for itself."""
        return 0

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        """As for every cache; ``change`` moves or repeats rows, so it shows on their numbers."""
        rows = change(torch.arange(self._rows))
        if self._reorder is not None:
            self.contents = self._reorder(self.contents, rows)
        else:
            self.contents = tree_map(lambda kept: kept.index_select(0, rows), self.contents)
        self._rows = len(rows)

    def reorder_cache(self, beam_idx: Tensor) -> None:
        self.apply(lambda rows: rows.index_select(0, beam_idx))

    def crop(self, max_length: int) -> None:
        raise NotImplementedError("what this model returns as its cache cannot be shortened")


class EncoderDecoderCache(Cache):
    """A cache for self-attention and one for cross-attention."""

    def __init__(self, *caches: Any) -> None:
        super().__init__()
        given = list(caches[0]) if len(caches) == 1 and not isinstance(caches[0], Cache) else list(caches)
        self.self_attention_cache: Cache = given[0] if given else DynamicCache()
        self.cross_attention_cache: Cache = given[1] if len(given) > 1 else DynamicCache()
        self.is_updated = {
            layer: bool(self.cross_attention_cache.get_seq_length(layer))
            for layer in range(len(self.cross_attention_cache))
        }

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, cache_kwargs: Any = None
    ) -> tuple[Tensor, Tensor]:
        return self.self_attention_cache.update(key_states, value_states, layer_idx, cache_kwargs)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.self_attention_cache.get_seq_length(layer_idx)

    @property
    def length(self) -> int:
        return self.self_attention_cache.length

    def apply(self, change: Any) -> None:
        self.self_attention_cache.apply(change)
        self.cross_attention_cache.apply(change)

    def crop(self, max_length: int) -> None:
        self.self_attention_cache.crop(max_length)

    def __len__(self) -> int:
        return len(self.self_attention_cache)
