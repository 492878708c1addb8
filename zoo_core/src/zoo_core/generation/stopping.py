"""When generation ends."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class StoppingCriteria:
    """Called as criterion(input_ids (rows, length), scores) after each token.

    Returns, for each row, whether it ends here: a bool tensor (rows,), or one bool for all rows.
    """

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor | bool:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(input_ids, scores)")


class StoppingCriteriaList(list[StoppingCriteria]):
    """A row ends when any criterion says so."""

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        ended = torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)
        for criterion in self:
            ended = ended | criterion(input_ids, scores, **kwargs)
        return ended

    @property
    def max_length(self) -> int | None:
        """The smallest length that a `MaxLengthCriteria` among these allows."""
        lengths = [c.max_length for c in self if isinstance(c, MaxLengthCriteria)]
        return min(lengths, default=None)


class MaxLengthCriteria(StoppingCriteria):
    """Every row ends at `max_length` tokens, prompt included."""

    def __init__(self, max_length: int, max_position_embeddings: int | None = None) -> None:
        self.max_length = max_length

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> bool:
        return input_ids.shape[1] >= self.max_length


class MaxTimeCriteria(StoppingCriteria):
    """Every row ends `max_time` seconds after `initial_timestamp` (time.monotonic), by default from now."""

    def __init__(self, max_time: float, initial_timestamp: float | None = None) -> None:
        self.end = max_time + (time.monotonic() if initial_timestamp is None else initial_timestamp)

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> bool:
        return time.monotonic() >= self.end


class EosTokenCriteria(StoppingCriteria):
    """A row ends with one of these tokens."""

    def __init__(self, eos_token_id: int | Iterable[int] | Tensor) -> None:
        ids = eos_token_id if isinstance(eos_token_id, Tensor) else torch.tensor(eos_token_id)
        self.eos_token_id = ids.reshape(-1)

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        if self.eos_token_id.device != input_ids.device:
            self.eos_token_id = self.eos_token_id.to(input_ids.device)
        return (input_ids[:, -1:] == self.eos_token_id).any(-1)


class ConfidenceCriteria(StoppingCriteria):
    """A draft ends when the drafting model is less sure of its last token than this probability."""

    def __init__(self, assistant_confidence_threshold: float) -> None:
        self.threshold = assistant_confidence_threshold

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        chosen = scores.softmax(-1).gather(-1, input_ids[:, -1:]).squeeze(-1)
        return chosen < self.threshold


class StopStringCriteria(StoppingCriteria):
    """A row ends when the text that it has generated contains one of these strings.

    Only the last tokens are decoded: as many as can touch the end of a string.

    Args:
        tokenizer: decodes. prompt_length: tokens that do not count.
    """

    def __init__(self, tokenizer: Any, stop_strings: str | list[str], *, prompt_length: int = 0) -> None:
        self.tokenizer, self.prompt_length = tokenizer, prompt_length
        self.stop_strings = [stop_strings] if isinstance(stop_strings, str) else list(stop_strings)
        if not self.stop_strings or not all(self.stop_strings):
            raise ValueError("stop_strings must be one or more strings that are not empty")
        # a token can be as little as one byte of the string
        self.reach = max(len(text.encode()) for text in self.stop_strings) + 1

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        start = max(self.prompt_length, input_ids.shape[1] - self.reach)
        texts = self.tokenizer.batch_decode(
            input_ids[:, start:].tolist(), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        ended = [any(string in text for string in self.stop_strings) for text in texts]
        return torch.tensor(ended, device=input_ids.device)
