"""Beam search and beam sampling, for all prompts at once; also in groups that shun each other's choices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from zoo_core.generation.logits.penalties import HammingDiversityLogitsProcessor
from zoo_core.generation.run import Run, refuse_nothing
from zoo_core.generation.stop_signal import StopSignal
from zoo_core.modeling.outputs import ModelOutput

#: score of what is not there: low, and still a number to compute with
ABSENT = -1.0e9


class Beams:
    """The hypotheses of `batch` prompts, `size` each: those that go on, and the best that have ended.

    ids, origins: (batch, size, max_length) tokens, and for each new token the row of scores it was chosen
    from. scores: (batch, size) sums of log probabilities. `ended*` are the same of finished hypotheses,
    whose scores are divided by length ** length_penalty; `is_ended` tells hypotheses from empty places.
    """

    def __init__(self, run: Run, size: int) -> None:
        config = run.config
        self.run, self.size, self.batch = run, size, run.batch
        self.penalty = 1.0 if config.length_penalty is None else config.length_penalty
        self.early = config.early_stopping or False
        device = run.ids.device
        prompts = run.ids.view(self.batch, -1, run.max_length)[:, :size]
        self.ids = prompts.clone()
        if run.eos is not None and not run.pad:
            # the reference takes a pad id of 0 for none, and fills up what beams leave with the first eos
            self.ids[:, :, run.length :] = run.eos[0]
        self.origins = torch.full(
            (self.batch, size, run.max_length - run.length), -1, dtype=torch.int64, device=device
        )
        self.scores = torch.full((self.batch, size), ABSENT, device=device)
        self.scores[:, 0] = 0  # all beams are alike at first: only one may go on
        self.ended_ids, self.ended_origins = self.ids.clone(), self.origins.clone()
        self.ended_scores = torch.full((self.batch, size), ABSENT, device=device)
        self.is_ended = torch.zeros((self.batch, size), dtype=torch.bool, device=device)
        self.improvable = torch.ones((self.batch, 1), dtype=torch.bool, device=device)
        ways_to_end = 0 if run.eos is None else run.eos.shape[0]
        self.candidates = max(2, 1 + ways_to_end) * size

    def select(self, log_probs: Tensor, length: int, *, first_row: int = 0, stride: int = 0) -> Tensor:
        """Go on from log probabilities (batch, size, vocabulary) of the token after `length`.

        Returns (batch, size), for each hypothesis that goes on, the beam it continues. `first_row` and
        `stride` place the beams among the rows of a search in groups.
        """
        vocabulary = log_probs.shape[-1]
        totals = (log_probs + self.scores[:, :, None]).flatten(1)
        scores, beams, tokens = self.propose(totals, vocabulary)
        ids = _take(self.ids, beams)
        ids[:, :, length] = tokens
        origins = _take(self.origins, beams)
        prompt = torch.arange(self.batch, device=ids.device)[:, None] * (stride or self.size)
        origins[:, :, length - self.run.length] = prompt + first_row + beams
        stops = self._stops(ids, tokens, length, scores)
        self._keep_ended(ids, origins, scores, self.may_end(stops, scores, length), length)
        kept = self.keep(scores, stops)
        self.ids, self.origins = _take(ids, kept), _take(origins, kept)
        self.scores = (scores + stops * ABSENT).gather(1, kept)
        self._stop_early(length + 1)
        self.going = ~stops.all(1)
        return beams.gather(1, kept)

    def propose(self, totals: Tensor, vocabulary: int) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, beams and tokens (batch, candidates) of the continuations to choose from, best first."""
        if self.run.config.do_sample:
            drawn = torch.multinomial(totals.softmax(-1), num_samples=self.candidates)
            scores = totals.gather(1, drawn)
        else:
            scores, drawn = totals.topk(self.candidates)
        return scores, drawn // vocabulary, drawn % vocabulary

    def keep(self, scores: Tensor, stops: Tensor) -> Tensor:
        """(batch, size) the candidates that go on."""
        return (scores + stops * ABSENT).topk(self.size).indices

    def may_end(self, stops: Tensor, scores: Tensor, length: int) -> Tensor:
        """Which of the candidates that end here may count as finished: a worse one takes no beam's place."""
        accepted = stops.clone()
        accepted[:, self.size :] = False
        return accepted

    def _stops(self, ids: Tensor, tokens: Tensor, length: int, scores: Tensor) -> Tensor:
        """(batch, candidates) which candidates end here."""
        ends = self.run.ends(tokens)
        stops = torch.zeros_like(tokens, dtype=torch.bool) if ends is None else ends
        if self.run.stopping:
            flat = ids[:, :, : length + 1].flatten(0, 1)
            stops = stops | self.run.stopping(flat, scores).view_as(stops)
        return stops | (length + 1 >= self.run.max_length)

    def _keep_ended(
        self, ids: Tensor, origins: Tensor, scores: Tensor, accepted: Tensor, length: int
    ) -> None:
        """Merge the accepted candidates into the finished hypotheses and keep the best."""
        new = length + 1 - self.run.length
        scores = scores / new**self.penalty
        if self.early is True:
            accepted = accepted & ~self.is_ended.all(1, keepdim=True)
        accepted = accepted & self.improvable
        scores = torch.where(accepted, scores, ABSENT)
        merged = torch.cat((self.ended_scores, scores), dim=1)
        self.ended_scores, kept = merged.topk(self.size)
        self.ended_ids = _take(torch.cat((self.ended_ids, ids), dim=1), kept)
        self.ended_origins = _take(torch.cat((self.ended_origins, origins), dim=1), kept)
        self.is_ended = torch.cat((self.is_ended, accepted), dim=1).gather(1, kept)

    def _stop_early(self, length: int) -> None:
        """Note the prompts whose running hypotheses can no longer beat their worst finished one."""
        new = length - self.run.length
        if self.early == "never" and self.penalty > 0:
            new = self.run.max_length - self.run.length
        best = self.scores[:, :1] / new**self.penalty
        worst = self.ended_scores.amin(1, keepdim=True)
        worst = torch.where(self.is_ended.all(1, keepdim=True), worst, ABSENT)
        self.improvable = self.improvable & (best > worst)

    def done(self) -> Tensor:
        """(batch,) whether a prompt's search is over."""
        over = ~self.improvable[:, 0] | ~self.going
        return over | self.is_ended.all(1) if self.early is True else over

    def best(self) -> tuple[Tensor, Tensor, Tensor]:
        """ids, scores and origins of the finished hypotheses, or of the running ones where none finished."""
        none = ~self.is_ended.any(1)
        pick = none[:, None]
        return (
            torch.where(pick[..., None], self.ids, self.ended_ids),
            torch.where(pick, self.scores, self.ended_scores),
            torch.where(pick[..., None], self.origins, self.ended_origins),
        )


def _take(values: Tensor, index: Tensor) -> Tensor:
    """Rows `index` (batch, n) of values (batch, m, ...)."""
    return values.gather(1, index[..., None].expand(-1, -1, values.shape[2]))


def beam_search(run: Run) -> Tensor | ModelOutput:
    """Beam search, beam sampling and, with num_beam_groups, diverse beam search."""
    groups = run.config.num_beam_groups or 1
    return search(run, [Beams(run, (run.config.num_beams or 1) // groups) for _ in range(groups)])


def search(run: Run, groups: Sequence[Beams]) -> Tensor | ModelOutput:
    """Go on until no group can improve, each choosing in turn."""
    size, beams = groups[0].size, groups[0].size * len(groups)
    diversity = None
    if len(groups) > 1 and run.config.diversity_penalty:
        diversity = HammingDiversityLogitsProcessor(run.config.diversity_penalty, beams, len(groups))
    signal = StopSignal(run.ids.device)
    first = torch.arange(run.batch, device=run.ids.device)[:, None] * beams
    for length in range(run.length, run.max_length):
        log_probs = next_log_probs(run, length).view(run.batch, beams, -1)
        moves: list[Tensor] = []
        chosen: list[Tensor] = []
        for start, group in zip(range(0, beams, size), groups, strict=True):
            own = log_probs[:, start : start + size]
            if diversity is not None and chosen:
                own = diversity(run.ids, own.flatten(0, 1), torch.cat(chosen, dim=1)).view_as(own)
            moves.append(first + start + group.select(own, length, first_row=start, stride=beams))
            chosen.append(group.ids[:, :, length])
        run.ids = torch.cat([group.ids for group in groups], dim=1).flatten(0, 1)
        if signal(torch.stack([group.done() for group in groups]).all(0), length + 1) is not None:
            break
        run.stepper.reorder(torch.cat(moves, dim=1).flatten())
    return collect(run, groups)


def next_log_probs(run: Run, length: int) -> Tensor:
    """(rows, vocabulary) processed log probabilities of the token after `length`."""
    seen = run.ids[:, :length]
    output = run.stepper(seen)
    logits = output.logits[:, -1].float()
    scores = run.processors(seen, logits.log_softmax(-1))
    run.record.step(output, logits, scores)
    return scores


def collect(run: Run, groups: Sequence[Beams]) -> Tensor | ModelOutput:
    """The best num_return_sequences hypotheses of each prompt."""
    found = [group.best() for group in groups]
    ids, scores, origins = (torch.cat(parts, dim=1) for parts in zip(*found, strict=True))
    scores, order = scores.topk(run.config.num_return_sequences or 1)
    ids, origins = _take(ids, order).flatten(0, 1), _take(origins, order).flatten(0, 1)
    if run.processors and not bool((scores[:, 0] > -math.inf).all()):
        refuse_nothing()
    steps = int((origins >= 0).sum(-1).max())
    return run.result(
        ids[:, : run.length + steps],
        beams=True,
        sequences_scores=scores.flatten(),
        beam_indices=origins[:, :steps],
    )
