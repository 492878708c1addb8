"""The assignment of predictions to objects."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from zoo_vision.losses.matching import assign


@pytest.mark.parametrize("seed", range(60))
def test_assignment_is_the_cheapest_of_all(seed: int) -> None:
    random = np.random.RandomState(seed)
    costs = random.randint(-5, 6, random.randint(1, 6, size=2)).astype(float)
    rows, columns = assign(costs)
    side = costs if costs.shape[0] <= costs.shape[1] else costs.T
    choices = permutations(range(side.shape[1]), len(side))
    best = min(sum(side[i, j] for i, j in enumerate(choice)) for choice in choices)
    assert costs[rows, columns].sum() == best
    assert len(set(rows)) == len(set(columns)) == min(costs.shape)
    assert list(rows) == sorted(rows)


def test_no_objects_and_impossible_costs() -> None:
    assert [len(side) for side in assign(np.zeros((3, 0)))] == [0, 0]
    with pytest.raises(ValueError, match="finite"):
        assign(np.array([[np.nan]]))
