"""Rotary positions of several axes."""

from __future__ import annotations

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_core.nn.rotary_multi import MultiAxisRotary


@pytest.mark.parametrize(
    ("sections", "alternate", "axes"),
    [
        ([1, 2, 1], False, [0, 1, 1, 2]),
        ([2, 1, 1], True, [0, 1, 2, 0]),
        ([3, 1, 0], True, [0, 1, 0, 0]),  # the third axis has no turn
        ([16, 8, 8], True, [0, 1, 2, 0]),  # sections longer than the head
    ],
)
def test_each_wavelength_follows_its_axis(sections: list[int], alternate: bool, axes: list[int]) -> None:
    positions = torch.tensor([[[0, 3, 5]], [[0, 4, 7]], [[1, 1, 2]]])
    tables = MultiAxisRotary(8, sections=sections, alternate=alternate)(positions, dtype=torch.float32)
    plain = [RotaryEmbedding(8)(p, dtype=torch.float32) for p in positions]
    for feature, axis in enumerate(axes * 2):
        assert torch.equal(tables.cos[..., feature], plain[axis].cos[..., feature])
        assert torch.equal(tables.sin[..., feature], plain[axis].sin[..., feature])


def test_text_is_plain_rotary() -> None:
    positions = torch.arange(5)
    rotary = MultiAxisRotary(8, sections=[2, 1, 1])
    plain = RotaryEmbedding(8)(positions, dtype=torch.float32)
    repeated = positions.expand(3, 1, 5)
    with_text = torch.cat((torch.zeros(1, 1, 5, dtype=torch.int64), repeated))
    for given in (positions, positions[None], repeated, with_text):
        assert torch.equal(rotary(given, dtype=torch.float32).cos, plain.cos)


def test_sections_must_fill_the_head() -> None:
    with pytest.raises(ConfigError, match=r"mrope_section \[2, 1\] adds up to 3"):
        MultiAxisRotary(8, sections=[2, 1])
