"""Cutting a distribution down before it is sampled from."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from zoo_core.generation.logits.base import LogitsProcessor


class TemperatureLogitsWarper(LogitsProcessor):
    """Divides scores by a temperature: below 1 sharper, above 1 flatter."""

    def __init__(self, temperature: float) -> None:
        if not isinstance(temperature, int | float) or temperature <= 0:
            raise ValueError(
                f"temperature={temperature!r} must be a positive number; greedy is do_sample=False"
            )
        self.temperature = temperature

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores / self.temperature


class _Filter(LogitsProcessor):
    """Sets the scores of removed tokens to filter_value, but never of the best min_tokens_to_keep."""

    def __init__(self, filter_value: float = -math.inf, min_tokens_to_keep: int = 1) -> None:
        if min_tokens_to_keep < 1:
            raise ValueError(f"min_tokens_to_keep={min_tokens_to_keep} must be at least 1")
        self.filter_value, self.min_tokens_to_keep = filter_value, min_tokens_to_keep

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.masked_fill(self.removed(scores), self.filter_value)

    def removed(self, scores: Tensor) -> Tensor:
        """(rows, vocabulary) bool."""
        raise NotImplementedError

    def spare_best(self, removed: Tensor, scores: Tensor) -> Tensor:
        """`removed` without the best tokens."""
        count = min(self.min_tokens_to_keep, scores.shape[-1])
        return removed & (scores < scores.topk(count).values[..., -1:])


class TopKLogitsWarper(_Filter):
    """Keeps the top_k best tokens (https://arxiv.org/abs/1805.04833)."""

    def __init__(self, top_k: int, filter_value: float = -math.inf, min_tokens_to_keep: int = 1) -> None:
        super().__init__(filter_value, min_tokens_to_keep)
        if not isinstance(top_k, int) or top_k < 1:
            raise ValueError(f"top_k={top_k!r} must be a positive whole number")
        self.top_k = max(top_k, min_tokens_to_keep)

    def removed(self, scores: Tensor) -> Tensor:
        return scores < scores.topk(min(self.top_k, scores.shape[-1])).values[..., -1:]


class TopPLogitsWarper(_Filter):
    """Keeps the smallest set of tokens whose probability reaches top_p (https://arxiv.org/abs/1904.09751)."""

    def __init__(self, top_p: float, filter_value: float = -math.inf, min_tokens_to_keep: int = 1) -> None:
        super().__init__(filter_value, min_tokens_to_keep)
        if not 0 <= top_p <= 1:
            raise ValueError(f"top_p={top_p!r} must lie between 0 and 1")
        self.top_p = top_p

    def removed(self, scores: Tensor) -> Tensor:
        ordered, order = torch.sort(scores)
        removed = ordered.softmax(-1).cumsum(-1) <= 1 - self.top_p
        removed[..., -self.min_tokens_to_keep :] = False
        return removed.scatter(-1, order, removed)


class MinPLogitsWarper(_Filter):
    """Keeps tokens at least min_p times as probable as the best one (https://arxiv.org/abs/2407.01082)."""

    def __init__(self, min_p: float, filter_value: float = -math.inf, min_tokens_to_keep: int = 1) -> None:
        super().__init__(filter_value, min_tokens_to_keep)
        if not 0 <= min_p <= 1:
            raise ValueError(f"min_p={min_p!r} must lie between 0 and 1")
        self.min_p = min_p

    def removed(self, scores: Tensor) -> Tensor:
        probabilities = scores.softmax(-1)
        least = self.min_p * probabilities.amax(-1, keepdim=True)
        return self.spare_best(probabilities < least, scores)


class TypicalLogitsWarper(_Filter):
    """Keeps the tokens whose information is closest to the entropy, up to `mass` (https://arxiv.org/abs/2202.00666)."""

    def __init__(
        self, mass: float = 0.9, filter_value: float = -math.inf, min_tokens_to_keep: int = 1
    ) -> None:
        super().__init__(filter_value, min_tokens_to_keep)
        if not 0 < mass < 1:
            raise ValueError(f"typical_p={mass!r} must lie between 0 and 1")
        self.mass = mass

    def removed(self, scores: Tensor) -> Tensor:
        logs = scores.log_softmax(-1)
        entropy = -(logs * logs.exp()).nansum(-1, keepdim=True)
        distance, order = torch.sort((-logs - entropy).abs())
        cumulative = scores.gather(-1, order).softmax(-1).cumsum(-1)
        last = (cumulative < self.mass).sum(-1, keepdim=True).clamp(max=scores.shape[-1] - 1)
        removed = distance > distance.gather(-1, last)
        removed[..., : self.min_tokens_to_keep] = False
        return removed.scatter(-1, order, removed)


class EpsilonLogitsWarper(_Filter):
    """Keeps tokens of at least this probability (https://arxiv.org/abs/2210.15191)."""

    def __init__(self, epsilon: float, filter_value: float = -math.inf, min_tokens_to_keep: int = 1) -> None:
        super().__init__(filter_value, min_tokens_to_keep)
        if not 0 < epsilon < 1:
            raise ValueError(f"epsilon_cutoff={epsilon!r} must lie between 0 and 1")
        self.epsilon = epsilon

    def removed(self, scores: Tensor) -> Tensor:
        return self.spare_best(scores.softmax(-1) < self.epsilon, scores)


class EtaLogitsWarper(_Filter):
    """Epsilon sampling whose cutoff sinks with the entropy (https://arxiv.org/abs/2210.15191)."""

    def __init__(
        self,
        epsilon: float,
        filter_value: float = -math.inf,
        min_tokens_to_keep: int = 1,
        device: str = "cpu",
    ) -> None:
        super().__init__(filter_value, min_tokens_to_keep)
        if not 0 < epsilon < 1:
            raise ValueError(f"eta_cutoff={epsilon!r} must lie between 0 and 1")
        self.epsilon = epsilon

    def removed(self, scores: Tensor) -> Tensor:
        logs = scores.log_softmax(-1)
        probabilities = logs.exp()
        entropy = -(probabilities * logs).nansum(-1, keepdim=True)
        cutoff = (math.sqrt(self.epsilon) * torch.exp(-entropy)).clamp(max=self.epsilon)
        return self.spare_best(probabilities < cutoff, scores)


class LogitNormalization(LogitsProcessor):
    """Makes scores log probabilities again."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return scores.log_softmax(-1)


class InfNanRemoveLogitsProcessor(LogitsProcessor):
    """Replaces NaN by 0 and infinities by the largest finite numbers."""

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        return torch.nan_to_num(scores, nan=0.0)
