"""What changes the scores of the next token."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor


class LogitsProcessor:
    """Called as processor(input_ids (rows, length), scores (rows, vocabulary)); returns new scores.

    `scores` is not to be changed in place: others may hold it.
    """

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(input_ids, scores)")


class LogitsProcessorList(list[LogitsProcessor]):
    """Processors applied in order; keyword arguments go to those that name them."""

    def __call__(self, input_ids: Tensor, scores: Tensor, **kwargs: Any) -> Tensor:
        for processor in self:
            extra = list(inspect.signature(processor.__call__).parameters)[2:] if kwargs else ()
            scores = processor(input_ids, scores, **{name: kwargs[name] for name in extra if name in kwargs})
        return scores


def token_ids(ids: Any, device: Any) -> Tensor:
    """One id, several, or a tensor of them, as a tensor (n,)."""
    import torch

    return torch.as_tensor(ids, device=device).reshape(-1)
