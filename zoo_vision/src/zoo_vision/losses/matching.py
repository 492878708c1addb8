"""The cheapest assignment of rows to columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def assign(costs: NDArray[np.floating]) -> tuple[Indices, Indices]:
    """Rows and columns of the assignment of least total cost; as many as the shorter side of `costs`.

    Shortest augmenting paths with potentials (https://doi.org/10.1007/BF02278710): cubic in the shorter side
    times the longer. Rows ascend.
    """
    costs = np.asarray(costs, dtype=np.float64)
    if costs.ndim != 2 or not np.isfinite(costs).all():
        raise ValueError(f"costs must be a matrix of finite numbers, got shape {costs.shape}")
    if costs.shape[0] > costs.shape[1]:
        columns, rows = assign(costs.T)
        order = np.argsort(rows)
        return rows[order], columns[order]
    count, width = costs.shape
    row_price, column_price = np.zeros(count), np.zeros(width)
    owner = np.full(width, -1)
    for start in range(count):
        shortest, before = np.full(width, np.inf), np.full(width, -1)
        done = np.zeros(width, dtype=bool)
        row, reached, last = start, 0.0, -1
        while row >= 0:
            new = reached + costs[row] - row_price[row] - column_price
            better = ~done & (new < shortest)
            shortest[better], before[better] = new[better], last
            column = int(np.argmin(np.where(done, np.inf, shortest)))
            reached, done[column], last = shortest[column], True, column
            row = int(owner[column])
        seen = done & (owner >= 0)
        row_price[start] += reached
        row_price[owner[seen]] += reached - shortest[seen]
        column_price[done] += shortest[done] - reached
        while last >= 0:
            earlier = int(before[last])
            owner[last] = owner[earlier] if earlier >= 0 else start
            last = earlier
    columns = np.flatnonzero(owner >= 0)
    order = np.argsort(owner[columns])
    return owner[columns][order].astype(np.int64), columns[order].astype(np.int64)
