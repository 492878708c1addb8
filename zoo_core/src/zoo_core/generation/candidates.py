"""Where the tokens come from that assisted decoding tries out."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.run import Run
from zoo_core.generation.stepper import Stepper


class Draft(NamedTuple):
    """tokens (1, n); probabilities (n, vocabulary) that they were drawn from, None if they were not drawn."""

    tokens: Tensor
    probabilities: Tensor | None = None


class PromptLookup:
    """Proposes what followed the last tokens when they occurred before.

    Args:
        count: tokens to propose. longest: tokens that have to recur, fewer where that fails.
    """

    def __init__(self, count: int, longest: int | None = None) -> None:
        self.count, self.longest = count, longest or 2

    def propose(self, ids: Tensor, limit: int) -> Draft:
        """At most `limit` tokens to follow ids (1, length)."""
        length = ids.shape[1]
        for size in range(min(self.longest, length - 1), 0, -1):
            windows = ids[0].unfold(0, size, 1)[:-1]
            places = (windows == ids[0, length - size :]).all(1).nonzero()
            if places.numel():
                start = int(places[0]) + size
                return Draft(ids[:, start : start + min(self.count, limit)])
        return Draft(ids[:, :0])

    def learn(self, proposed: int, accepted: int) -> None:
        """Take note of how a proposal fared."""


class DraftModel:
    """Proposes what a smaller model of the same vocabulary says.

    Args:
        stepper: feeds the smaller model its own cache.
    """

    def __init__(self, run: Run, model: Any, stepper: Stepper) -> None:
        own, theirs = model.settings(), run.model.config.get_text_config(decoder=True).vocab_size
        drafted = model.config.get_text_config(decoder=True).vocab_size
        if drafted != theirs:
            raise GenerationError(
                f"assistant_model has a vocabulary of {drafted}, the model one of {theirs}: they must agree"
            )
        self.run, self.stepper = run, stepper
        self.settings = own
        self.count: int = own.num_assistant_tokens
        self.schedule: str = own.num_assistant_tokens_schedule
        self.threshold: float = own.assistant_confidence_threshold or 0.0

    def propose(self, ids: Tensor, limit: int) -> Draft:
        """At most `limit` tokens to follow ids (1, length); fewer where the model is not sure."""
        run, start = self.run, ids.shape[1]
        self.stepper.forget(start - 1)
        drawn = []
        for _ in range(min(self.count, limit)):
            logits = self.stepper(ids).logits[:, -1].float().to(run.ids.device)
            probabilities = run.processors(ids, logits).softmax(-1)
            if run.config.do_sample:
                token = torch.multinomial(probabilities, num_samples=1)
            else:
                token = probabilities.argmax(-1, keepdim=True)
            ids = torch.cat((ids, token), dim=1)
            drawn.append(probabilities)
            ended = run.ends(token[0])
            if (ended is not None and bool(ended)) or float(probabilities[0, token[0, 0]]) < self.threshold:
                break
        kept = torch.cat(drawn) if drawn and run.config.do_sample else None
        return Draft(ids[:, start:], kept)

    def learn(self, proposed: int, accepted: int) -> None:
        """Propose more after success and less after failure, if the schedule says so."""
        if self.schedule == "constant" or not proposed:
            return
        self.count = self.count + 2 if accepted == proposed else max(1, self.count - 1)
        if self.schedule == "heuristic":
            self.settings.num_assistant_tokens = self.count
