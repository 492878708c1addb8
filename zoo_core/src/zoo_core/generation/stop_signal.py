"""Learning that all rows have ended without making the host wait for the device."""

from __future__ import annotations

from collections import deque

import torch
from torch import Tensor


class StopSignal:
    """Told after each step which rows have ended; says, possibly some steps late, when all had.

    On the CPU the answer is immediate. On an accelerator each step's answer is copied to the host beside the
    computation, and asked for when it has arrived: the steps done meanwhile are cut off by the caller.
    """

    def __init__(self, device: torch.device) -> None:
        self.immediate = device.type != "cuda"
        self._waiting: deque[tuple[int, Tensor, torch.cuda.Event]] = deque()

    def __call__(self, ended: Tensor, length: int) -> int | None:
        """The length at which all rows had ended, once that is known."""
        if self.immediate:
            return length if bool(ended.all()) else None
        answer = torch.empty((), dtype=torch.bool, pin_memory=True)
        answer.copy_(ended.all(), non_blocking=True)
        event = torch.cuda.Event()
        event.record()
        self._waiting.append((length, answer, event))
        while self._waiting and self._waiting[0][2].query():
            arrived = self._read()
            if arrived is not None:
                return arrived
        return None

    def finish(self, length: int) -> int:
        """The length at which all rows had ended, `length` if that never happened; waits."""
        while self._waiting:
            self._waiting[0][2].synchronize()
            arrived = self._read()
            if arrived is not None:
                return arrived
        return length

    def _read(self) -> int | None:
        length, answer, _ = self._waiting.popleft()
        return length if bool(answer) else None
