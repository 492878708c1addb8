"""What tells a good transcription from a loop or from silence (https://arxiv.org/abs/2212.04356, 4.5)."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a window is decoded again at a higher temperature, or passed over; None switches a test off.

    Args:
        compression_ratio: above it the text repeats itself. logprob: an average below it is a guess.
        no_speech: a guess, and a probability of no speech above it, is silence.
    """

    compression_ratio: float | None = None
    logprob: float | None = None
    no_speech: float | None = None

    def judge(
        self, tokens: Tensor, vocab_size: int, logprob: float | None, no_speech: float | None
    ) -> tuple[bool, bool]:
        """Whether to decode again, and whether to pass the window over."""
        again = False
        if self.compression_ratio is not None:
            again = compression_ratio(tokens, vocab_size) > self.compression_ratio
        guess = self.logprob is not None and logprob is not None and logprob < self.logprob
        if self.no_speech is not None and no_speech is not None and no_speech > self.no_speech and guess:
            return False, True
        return again or guess, False


def compression_ratio(tokens: Tensor, vocab_size: int) -> float:
    """Bytes of the ids over bytes of the same, compressed by zlib."""
    width = int(math.log2(vocab_size) / 8) + 1
    data = b"".join(token.to_bytes(width, "little") for token in tokens.tolist())
    return len(data) / len(zlib.compress(data))


def average_logprob(scores: tuple[Tensor, ...], tokens: Tensor, temperature: float | None, eos: int) -> float:
    """The mean log-probability of `tokens` (length,) under the scores (vocabulary,) of each step."""
    steps = torch.stack(scores[: len(tokens)]).float() * (temperature or 1.0)
    chosen = steps.log_softmax(-1).gather(1, tokens[-len(steps) :, None])[:, 0]
    return float(chosen.where(tokens[-len(steps) :] != eos, 0.0).sum() / len(tokens))
