"""Scores of the tokens that were generated."""

from __future__ import annotations

import torch
from torch import Tensor


def transition_scores(
    sequences: Tensor, scores: tuple[Tensor, ...], beam_indices: Tensor | None = None, *, normalize: bool
) -> Tensor:
    """(rows, new tokens) the score of each generated token.

    Args:
        sequences: (rows, length), whose last columns are the generated tokens.
        scores: for each step (rows or beams, vocabulary), as generate returned them.
        beam_indices: of a beam search; tokens after a row's end get 0.
        normalize: turn the scores into log probabilities first.
    """
    steps = len(scores)
    if beam_indices is None:
        rows = torch.arange(scores[0].shape[0], device=sequences.device)[:, None].expand(-1, steps)
        after = None
    else:
        width = int((beam_indices >= 0).sum(-1).max())
        beam_indices = beam_indices[:, :width]
        steps, after = width, beam_indices < 0
        rows = beam_indices.clamp(min=0)
    tokens = sequences[:, sequences.shape[1] - steps :]
    columns = []
    for step in range(steps):
        step_scores = scores[step].log_softmax(-1) if normalize else scores[step]
        columns.append(step_scores[rows[:, step], tokens[:, step]])
    found = torch.stack(columns, dim=1)
    return found if after is None else found.masked_fill(after, 0.0)
