"""The rules that timestamp tokens follow (https://arxiv.org/abs/2212.04356, section 4.5)."""

from __future__ import annotations

import math

from torch import Tensor

from zoo_core.generation.logits.base import LogitsProcessor


class TimestampRules(LogitsProcessor):
    """Timestamps come in pairs, never go back, begin the text, and win where they are likelier than text.

    Args:
        no_timestamps: the token that switches them off; those after it are the timestamps.
        eos: the token that ends the text. begin: length of the prompt.
        latest_first: index of the latest timestamp that may come first.
    """

    def __init__(self, no_timestamps: int, eos: int, begin: int, latest_first: int | None = None) -> None:
        self.no_timestamps, self.eos, self.begin = no_timestamps, eos, begin
        self.first = no_timestamps + 1
        self.latest_first = latest_first

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores = scores.clone()
        scores[:, self.no_timestamps] = -math.inf
        written = input_ids[:, self.begin :]
        for row, ids in zip(scores, written, strict=True):
            self.keep_order(row, ids.tolist())
        if written.shape[1] == 0:
            scores[:, : self.first] = -math.inf
            if self.latest_first is not None:
                scores[:, self.first + self.latest_first + 1 :] = -math.inf
        likely = scores.float().log_softmax(-1)
        by_time = likely[:, self.first :].logsumexp(-1)
        scores[by_time > likely[:, : self.first].amax(-1), : self.first] = -math.inf
        return scores

    def keep_order(self, scores: Tensor, ids: list[int]) -> None:
        """Hide from one row's scores what cannot follow `ids`."""
        last_is_time = bool(ids) and ids[-1] >= self.first
        if last_is_time:
            if len(ids) < 2 or ids[-2] >= self.first:  # a pair is complete: text follows
                scores[self.first :] = -math.inf
            else:  # the second of a pair, or the end
                scores[: self.eos] = -math.inf
        times = [token for token in ids if token >= self.first]
        if times:
            opens = last_is_time and not (len(ids) < 2 or ids[-2] >= self.first)
            scores[self.first : times[-1] if opens else times[-1] + 1] = -math.inf
