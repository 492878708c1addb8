"""Where one prompt's phrases stand: "a cat. a remote control." is searched for two things at once."""

from __future__ import annotations

import torch
from torch import Tensor

SEPARATORS = (101, 102, 1012, 1029)
"""[CLS], [SEP], full stop and question mark in BERT's vocabulary."""


def separators(input_ids: Tensor) -> Tensor:
    """(batch, sequence) bool: where a phrase ends."""
    return torch.isin(input_ids, torch.tensor(SEPARATORS, device=input_ids.device))


def phrase_attention(input_ids: Tensor) -> tuple[Tensor, Tensor]:
    """Which tokens see each other (batch, sequence, sequence), and positions (batch, sequence) in phrases.

    A phrase is what one separator ends, which belongs to it, unless it stands first or last in the batch's
    rows; whatever belongs to no phrase sees itself alone, from position 0.
    """
    ends = separators(input_ids)
    length = input_ids.shape[1]
    index = torch.arange(length, device=input_ids.device)
    phrase = ends.cumsum(1) - ends.long()
    inner = ends & (index < length - 1)
    closed = (inner.flip(1).cumsum(1).flip(1) > 0) & (index > 0)
    same = (phrase[:, :, None] == phrase[:, None]) & closed[:, :, None] & closed[:, None]
    after = torch.where(ends, index + 1, 1).cummax(1).values.roll(1, dims=1)
    positions = torch.where(closed, index - after, 0)
    return same | torch.eye(length, dtype=torch.bool, device=input_ids.device), positions


def phrase_tokens(input_ids: Tensor, length: int) -> list[Tensor]:
    """For each prompt (phrases, length) int64: 1 at the tokens of each phrase, without its separator."""
    ends = separators(input_ids)
    before = ends.cumsum(1)
    words = ~ends & (before > 0) & (before < before[:, -1:])
    found = []
    for own, number in zip(words, before, strict=True):
        rows = number[None] == number[own].unique()[:, None]
        found.append(torch.nn.functional.pad((rows & own).long(), (0, length - len(own))))
    return found
