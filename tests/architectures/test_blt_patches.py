"""BLT's patches and hashes against values measured with the reference implementation."""

from __future__ import annotations

import pytest
import torch

from zoo_text.blt.patches import PRIMES, group_hashes, patch_maxima, patch_starts

POSITIONS = torch.arange(9)[None]
SURPRISE = torch.tensor([[1.4888, 2.3047, 0.2654, 0.3961, 0.9223, 1.9022, 1.4703, 2.6893, 1.3669]])


def lengths(starts: torch.Tensor) -> list[int]:
    at = starts[0].nonzero()[:, 0]
    return torch.diff(at, append=torch.tensor([starts.shape[1]])).tolist()


@pytest.mark.parametrize(
    ("size", "want"), [(2, [33, 7, 41, 15, 41, 38, 21]), (3, [39, 49, 54, 57, 62, 26, 50])]
)
def test_hashes_of_groups_of_bytes(size: int, want: list[int]) -> None:
    ids = torch.tensor([[23, 16, 31, 16, 31, 1, 12]])
    assert group_hashes(ids, size, PRIMES[0], 64).tolist() == [want]


@pytest.mark.parametrize(
    ("threshold", "longest", "want"),
    [(1.5, None, [1, 1, 4, 2, 2]), (1.5, 3, [1, 1, 3, 1, 2, 2]), (9.0, None, [1, 9]), (9.0, 4, [1, 4, 4, 1])],
)
def test_a_surprising_byte_begins_a_patch(threshold: float, longest: int | None, want: list[int]) -> None:
    assert lengths(patch_starts(SURPRISE, POSITIONS, threshold=threshold, longest=longest)) == want


def test_without_entropies_each_byte_is_a_patch() -> None:
    assert patch_starts(None, POSITIONS, threshold=None, longest=None).all()


@pytest.mark.parametrize("longest", [None, 3])
def test_padding_before_a_row_moves_its_patches_along(longest: int | None) -> None:
    plain = patch_starts(SURPRISE, POSITIONS, threshold=1.5, longest=longest)
    surprise = torch.cat((torch.full((1, 2), 5.0), SURPRISE), dim=1)
    positions = torch.tensor([[-1, -1, *range(9)]])
    padded = patch_starts(surprise, positions, threshold=1.5, longest=longest)
    assert not padded[:, :2].any() and torch.equal(padded[:, 2:], plain)


def test_maxima_of_patches_leave_padding_out() -> None:
    hidden = torch.tensor([[[9.0], [-1.0], [-3.0], [2.0]]])
    assert patch_maxima(hidden, torch.tensor([[-1, 0, 0, 1]]), 3).flatten().tolist() == [-1.0, 2.0, 0.0]
