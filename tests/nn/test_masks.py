"""Masks of rules and of callers: chunks begin at a row's first token; an explicit mask is the last word."""

from __future__ import annotations

import torch

from zoo_core.nn.masks import AttentionContext, MaskRule

CHUNKS = MaskRule(causal=True, chunk=3)


def test_left_padding_shifts_chunks_with_their_row() -> None:
    rows, length, pads = 2, 7, 2
    padding = torch.ones(rows, length, dtype=torch.long)
    padding[1, :pads] = 0
    allowed = AttentionContext(torch.zeros(rows, length, 4), padding).mask(CHUNKS, length).allowed
    alone = AttentionContext(torch.zeros(1, length - pads, 4)).mask(CHUNKS, length - pads).allowed
    assert allowed is not None and alone is not None
    assert torch.equal(allowed[1, 0, pads:, pads:], alone[0, 0])
    assert not allowed[1, 0, pads:, :pads].any()
    plain = AttentionContext(torch.zeros(1, length, 4)).mask(CHUNKS, length).allowed
    assert plain is not None and torch.equal(allowed[0, 0], plain[0, 0])


def test_an_explicit_mask_replaces_the_rule_also_where_it_hides_nothing() -> None:
    whole = torch.ones(2, 1, 5, 5, dtype=torch.bool)
    mask = AttentionContext(torch.zeros(2, 5, 4), whole).mask(MaskRule(causal=True), 5)
    assert not mask.causal and (mask.allowed is None or bool(mask.allowed.all()))
