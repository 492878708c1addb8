"""Tokens that must come at a certain length."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.logits.base import LogitsProcessor, token_ids


class MinLengthLogitsProcessor(LogitsProcessor):
    """No end of sequence before min_length tokens, prompt included.

    An end that is not in the vocabulary cannot come, and needs no rule.
    """

    def __init__(self, min_length: int, eos_token_id: Any, device: Any = "cpu") -> None:
        if not isinstance(min_length, int) or min_length < 0:
            raise ValueError(f"min_length={min_length!r} must be a whole number from 0 up")
        self.min_length, self.eos = min_length, token_ids(eos_token_id, device)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        if input_ids.shape[1] >= self.min_length:
            return scores
        known = self.eos[(self.eos >= 0) & (self.eos < scores.shape[1])]
        return scores.index_fill(1, known.to(scores.device), -math.inf)


class MinNewTokensLengthLogitsProcessor(MinLengthLogitsProcessor):
    """No end of sequence before min_new_tokens tokens beyond a prompt of prompt_length_to_skip."""

    def __init__(
        self, prompt_length_to_skip: int, min_new_tokens: int, eos_token_id: Any, device: Any = "cpu"
    ) -> None:
        super().__init__(prompt_length_to_skip + min_new_tokens, eos_token_id, device)


def _only(scores: Tensor, ids: Tensor) -> Tensor:
    if int(ids.max()) >= scores.shape[-1]:
        raise GenerationError(f"a forced token has id {int(ids.max())}, beyond the {scores.shape[-1]} scores")
    return torch.full_like(scores, -math.inf).index_fill_(1, ids.to(scores.device), 0.0)


class ForcedBOSTokenLogitsProcessor(LogitsProcessor):
    """The token after the decoder's start is this one."""

    def __init__(self, bos_token_id: int) -> None:
        self.bos = token_ids(bos_token_id, "cpu")

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return _only(scores, self.bos) if input_ids.shape[1] == 1 else scores


class ForcedEOSTokenLogitsProcessor(LogitsProcessor):
    """The token at max_length is one of these."""

    def __init__(self, max_length: int, eos_token_id: Any, device: Any = "cpu") -> None:
        self.max_length, self.eos = max_length, token_ids(eos_token_id, device)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return _only(scores, self.eos) if input_ids.shape[1] == self.max_length - 1 else scores


class ExponentialDecayLengthPenalty(LogitsProcessor):
    """Raises the score of the end of sequence, exponentially with the length.

    Args:
        exponential_decay_length_penalty: (new tokens after which it begins, factor per token).
    """

    def __init__(
        self, exponential_decay_length_penalty: Any, eos_token_id: Any, input_ids_seq_length: int
    ) -> None:
        start, self.factor = exponential_decay_length_penalty
        self.start = start + input_ids_seq_length
        self.eos = token_ids(eos_token_id, "cpu")

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        beyond = input_ids.shape[1] - self.start
        if beyond <= 0:
            return scores
        eos = self.eos.to(scores.device)
        chosen = scores.index_select(1, eos)
        return scores.index_copy(1, eos, chosen + chosen.abs() * (self.factor**beyond - 1))
