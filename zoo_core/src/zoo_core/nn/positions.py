"""Positions of tokens."""

from __future__ import annotations

from torch import Tensor


def count_unpadded(attention_mask: Tensor) -> Tensor:
    """Positions (batch, sequence) that count kept tokens only; padding has position -1.

    With an offset of 2 in its table of positions (OPT), padding reads row 1.
    """
    kept = attention_mask.long()
    return kept.cumsum(1) * kept - 1
