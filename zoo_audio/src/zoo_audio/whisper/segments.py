"""A decoded window cut into segments at its timestamps (https://arxiv.org/abs/2212.04356, section 4.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Clock:
    """How tokens and frames tell time.

    Args:
        first: the token of 0.00 seconds. precision: seconds from one timestamp token to the next.
        frame: seconds from one mel frame to the next.
    """

    first: int
    precision: float
    frame: float
    stride: ClassVar[int] = 2
    """Mel frames of a step of the encoder, and of a timestamp."""

    def seconds(self, frames: int) -> float:
        """Of so many mel frames."""
        return frames * self.precision / self.stride


def cut(
    tokens: Tensor, clock: Clock, *, seek: int, frames: int, prompt: int, result: Any, words: Tensor | None
) -> tuple[list[dict[str, Any]], int]:
    """The segments of a window, and by how many mel frames the next window begins later.

    Args:
        tokens: (length,) what was written. seek: mel frames before the window. frames: in the window.
        prompt: tokens that stand before `tokens` in `result`. words: (prompt + length,) seconds in the
            window at which each token was heard.

    Returns:
        dicts of start and end (seconds), tokens, idxs (their place in `result`) and result; with `words`
        also token_timestamps.
    """
    times = tokens >= clock.first
    ends = (torch.nonzero(times[:-1] & times[1:])[:, 0] + 1).tolist()
    begin = clock.seconds(seek)

    def segment(start: int, stop: int, first: float, last: float) -> dict[str, Any]:
        found: dict[str, Any] = {
            "start": torch.tensor(begin + first, dtype=torch.float64),
            "end": torch.tensor(begin + last, dtype=torch.float64),
            "tokens": tokens[start:stop],
            "idxs": (prompt + start, prompt + stop),
            "result": result,
        }
        if words is not None:
            found["token_timestamps"] = words[prompt + start : prompt + stop] + begin
        return found

    def moment(place: int) -> float:
        return (int(tokens[place]) - clock.first) * clock.precision

    if not ends:  # one segment without two timestamps side by side
        said = tokens[times]
        # In single precision, as the recorded answers have it: 54 frames hold 26 whole steps.
        last = clock.precision * int(torch.tensor(float(frames)) * clock.frame / clock.precision)
        if len(said) and int(said[-1]) != clock.first:
            last = (int(said[-1]) - clock.first) * clock.precision
        return [segment(0, len(tokens), 0.0, last)], frames
    open_end = times[-2:].tolist() == [False, True]  # a lone last timestamp: nothing is said after it
    if open_end:
        ends.append(len(tokens))
    else:
        ends[-1] += 1  # the doubled timestamp at the end belongs to the last segment
    found, start = [], 0
    for stop in ends:
        inner = stop == ends[-1] and not open_end
        found.append(segment(start, stop, moment(start), moment(stop - 2 if inner else stop - 1)))
        start = stop
    return found, frames if open_end else (int(tokens[start - 2]) - clock.first) * clock.stride
