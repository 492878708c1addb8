"""Which prediction answers for which object: the cheapest assignment of rows to columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo_vision.losses.boxes import corners, generalized_iou

Indices = NDArray[np.int64]
Target = dict[str, Tensor]
"""`class_labels` (objects,) and `boxes` (objects, 4), centre and size as fractions of the image."""
Pairs = list[tuple[Tensor, Tensor]]
"""For each image the matched queries and, in the same order, their objects."""


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


def assigned(costs: Tensor) -> tuple[Tensor, Tensor]:
    """`assign` of a tensor, on its device."""
    rows, columns = assign(costs.detach().float().cpu().numpy())
    return torch.from_numpy(rows).to(costs.device), torch.from_numpy(columns).to(costs.device)


@torch.no_grad()
def match_boxes(
    class_costs: Iterable[Tensor],
    boxes: Tensor,
    targets: Sequence[Target],
    *,
    bbox_cost: float,
    giou_cost: float,
) -> Pairs:
    """Match by class, by the distance of boxes, and by their overlap.

    Args:
        class_costs: for each image (queries, classes), of each class to each query.
        boxes: (batch, queries, 4).
    """
    pairs = []
    for costs, found, target in zip(class_costs, boxes, targets, strict=True):
        found = found.float()  # distances are computed in no less
        wanted = target["boxes"].to(found)
        cost = bbox_cost * torch.cdist(found, wanted, p=1)
        cost = cost + costs[:, target["class_labels"].to(costs.device)]
        pairs.append(assigned(cost - giou_cost * generalized_iou(corners(found), corners(wanted))))
    return pairs


def matched_queries(pairs: Pairs) -> tuple[Tensor, Tensor]:
    """The image and the query of each pair."""
    image = torch.cat([torch.full_like(queries, i) for i, (queries, _) in enumerate(pairs)])
    return image, torch.cat([queries for queries, _ in pairs])


def matched_objects(pairs: Pairs, targets: Sequence[Target], name: str) -> Tensor:
    """What each pair's object has as `name`."""
    parts = zip(pairs, targets, strict=True)
    return torch.cat([target[name].to(objects.device)[objects] for (_, objects), target in parts])


def object_count(targets: Sequence[Target], like: Tensor) -> Tensor:
    """How many objects there are in all images; at least one."""
    return like.new_tensor(max(sum(len(target["class_labels"]) for target in targets), 1))
