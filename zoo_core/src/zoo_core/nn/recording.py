"""How hidden states and attention weights reach a model's output without passing through every forward.

A `PreTrainedModel` opens a `Recording` for the length of one call when the caller asked for states or
weights; blocks hand over what they hold with `record(name, tensor)`. The recording in force is kept per
thread, so that calls in several threads do not mix, and as a plain attribute, which torch.compile traces.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor

HIDDEN_STATES = "hidden_states"
ATTENTIONS = "attentions"
CROSS_ATTENTIONS = "cross_attentions"
GLOBAL_ATTENTIONS = "global_attentions"  # of the tokens that see all others (Longformer)


class Recording:
    """What one model call was asked to collect, and what it has collected."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self.wanted = frozenset(wanted)
        self.taken: dict[str, list[Any]] = {}


class _Current(threading.local):
    recording: Recording | None = None
    depth: int = 0  # how many model calls enclose this point


current = _Current()


def wants(name: str) -> bool:
    """Whether the call under way collects `name`."""
    recording = current.recording
    return recording is not None and name in recording.wanted


def record(name: str, value: Tensor | tuple[Tensor, ...] | Mapping[str, Tensor] | None) -> None:
    """Hand `value` to the call under way, if it collects `name`."""
    recording = current.recording
    if recording is not None and name in recording.wanted:
        recording.taken.setdefault(name, []).append(value)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Inside, blocks hand nothing over: for parts whose states are none of the output's."""
    outer, current.recording = current.recording, None
    try:
        yield
    finally:
        current.recording = outer


def taken(name: str) -> list[Any]:
    """What the call under way has collected of `name` so far; a forward may leave some of it out."""
    recording = current.recording
    return [] if recording is None else recording.taken.get(name, [])
