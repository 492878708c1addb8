"""Tokens of a table by cell and column, and the losses of choosing among them (section 4 of the paper)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

NEVER = -10000.0
"""Added to the scores of what cannot be chosen."""
EPSILON = 1e-10


class Cells:
    """In which cell of a table each token stands; row 0 and column 0 are outside of it.

    Args:
        rows, columns: (batch, sequence), cut to `sizes`.
    """

    def __init__(self, rows: Tensor, columns: Tensor, sizes: tuple[int, int]) -> None:
        self.rows, self.columns = sizes
        self.column = columns.clamp(max=self.columns - 1)
        self.index = rows.clamp(max=self.rows - 1) * self.columns + self.column
        #: (cells,) the column of each cell
        self.column_of_cell = torch.arange(self.rows * self.columns, device=rows.device) % self.columns

    def mean(self, values: Tensor) -> Tensor:
        """(batch, sequence) to the mean of each cell (batch, cells); 0 for cells without tokens."""
        count = self.total(torch.ones_like(values))
        return self.total(values) / count.clamp(min=1)

    def total(self, values: Tensor) -> Tensor:
        """(batch, sequence) to the sum of each cell (batch, cells)."""
        empty = values.new_zeros(len(values), self.rows * self.columns)
        return empty.scatter_add(1, self.index, values)

    def highest(self, values: Tensor) -> Tensor:
        """(batch, sequence) to the highest value of each cell (batch, cells); 0 without tokens."""
        empty = values.new_zeros(len(values), self.rows * self.columns)
        return empty.scatter_reduce(1, self.index, values, "amax", include_self=False)

    def of_tokens(self, cells: Tensor) -> Tensor:
        """(batch, cells) to the value of each token's cell (batch, sequence)."""
        return cells.gather(1, self.index)

    def by_column(self, cells: Tensor) -> Tensor:
        """(batch, cells) to the sum of each column (batch, columns)."""
        return cells.unflatten(1, (self.rows, self.columns)).sum(1)


def column_scores(tokens: Tensor, cells: Cells, shown: Tensor, *, allow_empty: bool) -> Tensor:
    """Scores of tokens (batch, sequence) to scores of columns, the mean over those cells that are `shown`."""
    counts = cells.by_column(shown)
    scores = cells.by_column(cells.mean(tokens) * shown) / (counts + EPSILON)
    outside = torch.arange(cells.columns, device=tokens.device) == 0
    scores = scores + NEVER * ((counts < 0.5) & ~outside).to(scores.dtype)
    return scores if allow_empty else scores + NEVER * outside.to(scores.dtype)


def choose_in_column(
    tokens: Tensor, columns: Tensor, labels: Tensor, cells: Cells, shown: Tensor
) -> tuple[Tensor, Tensor]:
    """The loss of a column and of its cells (batch,), and scores with only the likeliest column's cells.

    Args:
        tokens: scores (batch, sequence). columns: scores (batch, columns). labels: (batch, sequence) 0 or 1.
    """
    labels = labels.to(tokens.dtype)
    labelled = torch.zeros_like(columns).scatter_add(1, cells.column, labels)
    none = labelled.max(1).values == 0
    goal = labelled.argmax(1).masked_fill(none, 0)
    loss = F.cross_entropy(columns, goal, reduction="none")
    scores = cells.mean(tokens)
    counted = (cells.column_of_cell == goal[:, None]) * shown
    wrong = F.binary_cross_entropy_with_logits(scores, cells.highest(labels), reduction="none")
    cell_loss = (wrong * counted).sum(1) / (counted.sum(1) + EPSILON)
    loss = loss + cell_loss.masked_fill(none, 0.0)
    chosen = (cells.column_of_cell == columns.argmax(1, keepdim=True)) & (cells.column_of_cell != 0)
    return loss, cells.of_tokens(scores + NEVER * (1 - shown * chosen))


class Numbers(NamedTuple):
    """Numbers in a table: values (batch, sequence), how many tokens each is spread over, and the answer."""

    values: Tensor
    scale: Tensor
    answer: Tensor


def operation_loss(scores: Tensor, labels: Tensor | None, aggregates: Tensor | None, weight: float) -> Tensor:
    """The loss of choosing an operation (batch,).

    With `aggregates` (batch,), 1 where the answer must be computed, "none" is right for the others, and any
    other operation for these.
    """
    if aggregates is None:
        if labels is None:
            raise ValueError("the loss of operations needs aggregation_labels (batch,)")
        return weight * F.cross_entropy(scores, labels, reduction="none")
    none = F.cross_entropy(scores, torch.zeros_like(aggregates, dtype=torch.long), reduction="none")
    computed = -scores.softmax(-1)[:, 1:].sum(1).log()
    return weight * (none * (1 - aggregates) + computed * aggregates)


def must_compute(scores: Tensor, labels: Tensor, answer: Tensor, preference: float) -> Tensor:
    """(batch,) 1 where the answer is a number that is to be computed rather than found in a cell."""
    computed = scores.softmax(-1)[:, 1:].sum(1)
    found = (computed <= preference) & (labels.sum(1) > 0)
    return (~answer.isnan() & ~found).to(scores.dtype).detach()


def expected_result(
    chosen: Tensor, numbers: Numbers, shown: Tensor, operations: Tensor, config: Any
) -> Tensor:
    """What the operations are expected to give (batch,), by probabilities of cells and of operations."""
    share = chosen / numbers.scale * shown
    values = numbers.values.masked_fill(numbers.values.isnan(), 0.0)
    count, total = share.sum(1), (share * values).sum(1)
    rule = config.average_approximation_function
    others = share.sum(1, keepdim=True) - share + 1
    if rule == "ratio":
        average = total / (count + EPSILON)
    elif rule == "first_order":
        average = (values * share / others).sum(1)
    else:
        variance = share * (1 - share)
        spread = variance.sum(1, keepdim=True) - variance
        average = (values * share * (spread / others**2 + 1) / others).sum(1)
    weights = (operations[:, 1:] / config.aggregation_temperature).softmax(-1)
    return (torch.stack((total, average, count), dim=1) * weights).sum(1)


def answer_loss(
    chosen: Tensor, numbers: Numbers, shown: Tensor, operations: Tensor, aggregates: Tensor, config: Any
) -> tuple[Tensor, Tensor]:
    """The loss of the computed answer (batch,), and 0 for examples whose loss is beyond the cutoff."""
    expected = expected_result(chosen, numbers, shown, operations, config)
    answer = numbers.answer.masked_fill(numbers.answer.isnan(), 0.0)
    delta = config.huber_loss_delta
    if config.use_normalized_answer_loss:
        size = (torch.maximum(expected.abs(), answer.abs()) + EPSILON).detach()
        expected, answer, delta = expected / size, answer / size, 1.0 if delta is None else delta
    if delta is None:
        loss = F.mse_loss(expected * aggregates, answer * aggregates, reduction="none")
    else:
        loss = F.huber_loss(expected * aggregates, answer * aggregates, reduction="none", delta=delta)
    cutoff = config.answer_loss_cutoff
    kept = torch.ones_like(loss) if cutoff is None else (loss <= cutoff).to(loss.dtype)
    return config.answer_loss_importance * loss * aggregates, kept
