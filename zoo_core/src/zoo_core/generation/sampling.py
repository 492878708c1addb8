"""Greedy decoding and multinomial sampling."""

from __future__ import annotations

from torch import Tensor

from zoo_core.generation.run import Rows, Run
from zoo_core.modeling.outputs import ModelOutput


def sample(run: Run) -> Tensor | ModelOutput:
    """One token a step for every row, drawn from the processed distribution or its best."""
    rows = Rows(run)
    stopped: int | None = None
    for length in rows.lengths():
        _, _, scores = run.next_scores(length)
        stopped = rows.append(run.choose(scores), length, scores)
        if stopped is not None:
            break
    sequences = rows.sequences(stopped)
    return run.result(sequences, steps=sequences.shape[1] - run.length)
