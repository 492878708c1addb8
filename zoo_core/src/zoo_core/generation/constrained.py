"""Beam search that must produce given phrases: dynamic beam allocation (https://arxiv.org/abs/1804.06609).

Beside its best continuations every hypothesis is offered the tokens that bring a constraint forward.
Candidates stand in banks by how much is still missing, and places go to the banks in turn, so that
hypotheses that have come far are not crowded out by likelier ones that have not begun.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.beam import ABSENT, Beams, search
from zoo_core.generation.constraints import Progress, constraints_of
from zoo_core.generation.run import Run
from zoo_core.modeling.outputs import ModelOutput


class ConstrainedBeams(Beams):
    """`Beams` whose hypotheses carry their progress."""

    def __init__(self, run: Run, size: int) -> None:
        super().__init__(run, size)
        constraints = constraints_of(run.config.constraints, run.config.force_words_ids)
        fresh = Progress(constraints)
        room = run.max_length - run.length
        if fresh.missing > room:
            raise GenerationError(
                f"the constraints need {fresh.missing} tokens and {room} are allowed; raise max_new_tokens"
            )
        self.progress = [[fresh] * size for _ in range(self.batch)]
        self.next_progress: list[list[Progress]] = []

    def propose(self, totals: Tensor, vocabulary: int) -> tuple[Tensor, Tensor, Tensor]:
        _, beams, tokens = super().propose(totals, vocabulary)
        rows = []
        for prompt in range(self.batch):
            offered = dict.fromkeys(zip(beams[prompt].tolist(), tokens[prompt].tolist(), strict=True))
            for beam, progress in enumerate(self.progress[prompt]):
                wanted = progress.advance()
                if wanted and wanted[-1] >= vocabulary:
                    raise GenerationError(
                        f"a constraint wants id {wanted[-1]}, beyond the {vocabulary} scores"
                    )
                offered.update(dict.fromkeys((beam, token) for token in wanted))
            rows.append(list(offered))
        width = max(map(len, rows))
        filled = torch.tensor([row + [row[0]] * (width - len(row)) for row in rows], device=totals.device)
        beams, tokens = filled[..., 0], filled[..., 1]
        scores = totals.gather(1, beams * vocabulary + tokens)
        repeated = torch.arange(width, device=totals.device) >= torch.tensor(
            [[len(row)] for row in rows], device=totals.device
        )
        self.next_progress = [
            [self.progress[prompt][beam].after(token) for beam, token in row]
            for prompt, row in enumerate(rows)
        ]
        return scores.masked_fill(repeated, 2 * ABSENT), beams, tokens

    def may_end(self, stops: Tensor, scores: Tensor, length: int) -> Tensor:
        complete = torch.zeros_like(stops)
        for prompt, row in enumerate(self.next_progress):
            complete[prompt, : len(row)] = torch.tensor([p.missing == 0 for p in row], device=stops.device)
        accepted = stops & complete
        if length + 1 >= self.run.max_length:  # better an unfulfilled answer than none
            none = ~(self.is_ended.any(1, keepdim=True) | accepted.any(1, keepdim=True))
            least = min(p.missing for row in self.next_progress for p in row)
            nearest = torch.zeros_like(stops)
            for prompt, row in enumerate(self.next_progress):
                nearest[prompt, : len(row)] = torch.tensor(
                    [p.missing == least for p in row], device=stops.device
                )
            accepted = accepted | (stops & none & nearest & (scores > ABSENT))
        return accepted

    def keep(self, scores: Tensor, stops: Tensor) -> Tensor:
        kept = []
        running = scores + stops * ABSENT
        for prompt, row in enumerate(self.next_progress):
            ranked = sorted(range(len(row)), key=lambda i: -float(running[prompt, i]))
            banks: dict[int, list[int]] = {}
            for candidate in ranked:
                banks.setdefault(row[candidate].missing, []).append(candidate)
            order: list[int] = []
            queues = [banks[missing] for missing in sorted(banks)]
            while len(order) < len(row):
                for queue in queues:
                    if queue:
                        order.append(queue.pop(0))
            order.sort(key=lambda i: bool(stops[prompt, i]))  # what ends here takes no place
            chosen = sorted(order[: self.size], key=lambda i: -float(running[prompt, i]))
            kept.append(chosen)
            self.progress[prompt] = [row[i] for i in chosen]
        return torch.tensor(kept, device=scores.device)


def constrained_beam_search(run: Run) -> Tensor | ModelOutput:
    """Beam search under `constraints` and `force_words_ids`."""
    if (run.config.num_beams or 1) < 2:
        raise GenerationError(
            "constraints and force_words_ids need beams to try them in: pass num_beams=4 or so"
        )
    return search(run, [ConstrainedBeams(run, run.config.num_beams or 1)])
