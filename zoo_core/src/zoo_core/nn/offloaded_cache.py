"""A cache that lives in host memory and visits the accelerator one layer at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_core.nn.cache import Cache, KeyValueSlot


class OffloadedSlot(KeyValueSlot):
    """Keys and values in host memory; `update` hands out a copy on the device of what it is given."""

    def __init__(self, cache: OffloadedCache, layer: int) -> None:
        super().__init__(cache.capacity)
        self.cache, self.layer = cache, layer
        self.fetched: tuple[Tensor, Tensor] | None = None

    def update(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        device = key.device
        past = self.fetched or self.fetch(device)
        self.fetched = None
        super().update(key.to("cpu"), value.to("cpu"))
        if past is None:
            return key, value
        if device.type == "cuda":
            torch.cuda.current_stream().wait_stream(self.cache.copying(device))
        following = self.cache.slots.get(("self", self.layer + 1))
        if isinstance(following, OffloadedSlot):
            following.fetched = following.fetch(device)
        return torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)

    def fetch(self, device: torch.device) -> tuple[Tensor, Tensor] | None:
        """Start copying what is kept, if anything, to `device`."""
        if self.key is None or self.value is None:
            return None
        kept = self.key[:, :, self.filled()], self.value[:, :, self.filled()]
        if device.type != "cuda":
            return kept[0].to(device), kept[1].to(device)
        stream = self.cache.copying(device)
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            copies = tuple(part.to(device, non_blocking=True) for part in kept)
        return copies[0], copies[1]


class OffloadedCache(Cache):
    """Keeps keys and values in host memory and fetches each layer's while the layer before computes.

    Windowed layers keep everything. It saves accelerator memory and costs transfers.
    """

    def __init__(self, *, capacity: int = 0) -> None:
        super().__init__(capacity=capacity, sliding=False)
        self._stream: torch.cuda.Stream | None = None

    def copying(self, device: torch.device) -> torch.cuda.Stream:
        """The stream that transfers run on."""
        if self._stream is None:
            self._stream = torch.cuda.Stream(device)
        return self._stream

    def attention(self, layer: int, *, window: int | None = None) -> KeyValueSlot:
        return self.slot("self", layer, lambda: OffloadedSlot(self, layer))
