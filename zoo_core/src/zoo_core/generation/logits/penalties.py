"""Making tokens that were already there less, or more, likely."""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_core.generation.logits.base import LogitsProcessor


def _scaled(scores: Tensor, ids: Tensor, factor: float) -> Tensor:
    """Scores of `ids` (rows, n) divided by `factor` where positive, multiplied where negative."""
    chosen = scores.gather(1, ids)
    return scores.scatter(1, ids, torch.where(chosen < 0, chosen * factor, chosen / factor))


class RepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Divides the scores of tokens that occurred (https://arxiv.org/abs/1909.05858).

    Args:
        penalty: above 1 discourages, below 1 encourages.
        prompt_ignore_length: first tokens that do not count.
    """

    def __init__(self, penalty: float, prompt_ignore_length: int | None = None) -> None:
        if not isinstance(penalty, int | float) or penalty <= 0:
            raise ValueError(f"repetition_penalty={penalty!r} must be a positive number")
        self.penalty, self.prompt_ignore_length = penalty, prompt_ignore_length or 0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return _scaled(scores, input_ids[:, self.prompt_ignore_length :], self.penalty)


class EncoderRepetitionPenaltyLogitsProcessor(LogitsProcessor):
    """Raises the scores of tokens that the encoder, or the prompt, holds: against hallucination."""

    def __init__(self, penalty: float, encoder_input_ids: Tensor) -> None:
        if not isinstance(penalty, int | float) or penalty <= 0:
            raise ValueError(f"encoder_repetition_penalty={penalty!r} must be a positive number")
        self.penalty, self.encoder_input_ids = penalty, encoder_input_ids

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        copies = scores.shape[0] // self.encoder_input_ids.shape[0]
        return _scaled(scores, self.encoder_input_ids.repeat_interleave(copies, dim=0), 1 / self.penalty)


class FrequencyPenaltyLogitsProcessor(LogitsProcessor):
    """Subtracts `frequency` for each time that a token was generated, and `presence` once.

    Tokens of the prompt, the first `prompt_length`, do not count.
    """

    def __init__(self, frequency: float, presence: float, prompt_length: int) -> None:
        self.frequency, self.presence, self.prompt_length = frequency, presence, prompt_length

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        ids = input_ids[:, self.prompt_length :]
        counts = torch.zeros_like(scores).scatter_add_(1, ids, torch.ones_like(ids, dtype=scores.dtype))
        return scores - self.frequency * counts - self.presence * (counts > 0)


class HammingDiversityLogitsProcessor(LogitsProcessor):
    """Lowers what earlier groups chose in this step (diverse beam search, https://arxiv.org/abs/1610.02424)."""

    def __init__(self, diversity_penalty: float, num_beams: int, num_beam_groups: int) -> None:
        if num_beam_groups < 2 or num_beam_groups > num_beams:
            raise ValueError(
                f"num_beam_groups={num_beam_groups} must lie between 2 and num_beams={num_beams}"
            )
        self.penalty, self.group = diversity_penalty, num_beams // num_beam_groups

    def __call__(self, input_ids: Tensor, scores: Tensor, current_tokens: Tensor | None = None) -> Tensor:
        """`current_tokens` (rows / beams of a group, n): what earlier groups of the same prompt chose."""
        if current_tokens is None or not current_tokens.numel():
            return scores
        prompts = current_tokens.shape[0]
        counts = torch.zeros(prompts, scores.shape[-1], dtype=scores.dtype, device=scores.device)
        counts.scatter_add_(1, current_tokens, torch.ones_like(current_tokens, dtype=scores.dtype))
        return scores - self.penalty * counts.repeat_interleave(scores.shape[0] // prompts, dim=0)
