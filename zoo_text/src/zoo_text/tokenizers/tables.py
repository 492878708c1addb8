"""A table's texts, tokens and values, and what of it fits into a number of tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from zoo_core.errors import TokenizerError
from zoo_text.tokenizers.table_values import Value, column_values, ranks

Cell = tuple[int, int]
"""Row and column, from 0; -1 is the header's row."""


@dataclass(frozen=True)
class Places:
    """The tokens of an encoded table, row by row: for each its id, row and column."""

    ids: list[int]
    cells: list[Cell]

    @cached_property
    def by_cell(self) -> dict[Cell, list[int]]:
        """Where the tokens of each cell stand among those of the table."""
        found: dict[Cell, list[int]] = {}
        for at, cell in enumerate(self.cells):
            found.setdefault(cell, []).append(at)
        return found


@dataclass(frozen=True)
class Table:
    """Texts and token ids of the cells; the first row is the header. inner: ids that continue a word."""

    texts: list[list[str]]
    tokens: list[list[list[int]]]
    inner: frozenset[int]

    @cached_property
    def values(self) -> list[dict[int, Value]]:
        """For each column the values of its rows, counted without the header."""
        return [column_values(column[1:]) for column in zip(*self.texts, strict=True)]

    @cached_property
    def ranks(self) -> list[dict[int, tuple[int, int]]]:
        """For each column the ranks of its rows."""
        return [ranks(values) for values in self.values]

    def trimmed(self, cell: list[int], most: int | None) -> list[int]:
        """The first `most` tokens of a cell, and those after them that belong to the last word."""
        if most is None or len(cell) <= most:
            return cell
        end = most
        while end < len(cell) and cell[end] in self.inner:
            end += 1
        return cell[:end]

    def fitting(self, rows: int, budget: float, trim: int | None) -> tuple[int, int]:
        """How many rows, and tokens of a cell, fit into `budget`: rather short cells than few rows.

        With `trim` cells have so many tokens, and no fewer; with neither any row the header's have one.
        """
        costs: dict[int, list[int]] = {}

        def cost(kept: int, most: int) -> int:
            if most not in costs:
                costs[most] = [sum(len(self.trimmed(cell, most)) for cell in row) for row in self.tokens]
            return sum(costs[most][: kept + 1])

        longest = max((len(cell) for row in self.tokens for cell in row), default=0)
        for kept in range(rows, 0, -1):
            most = 1 if trim is None else trim
            if cost(kept, most) <= budget:
                while trim is None and most < longest and cost(kept, most + 1) <= budget:
                    most += 1
                return kept, most
        return 0, 1

    def places(self, rows: int, most: int | None) -> Places:
        """The tokens of the header and the first rows, of each cell at most so many (see `trimmed`)."""
        ids: list[int] = []
        cells: list[Cell] = []
        for row, texts in enumerate(self.tokens[: rows + 1], start=-1):
            for column, cell in enumerate(texts):
                kept = self.trimmed(cell, most)
                ids += kept
                cells += [(row, column)] * len(kept)
        return Places(ids, cells)


def rows_of(table: Any) -> list[list[str]]:
    """The texts of a table, the column names first."""
    rows: list[Any]
    if hasattr(table, "columns") and hasattr(table, "itertuples"):  # pandas, which need not be installed
        rows = [list(table.columns), *table.itertuples(index=False, name=None)]
    elif isinstance(table, Mapping):
        lengths = {len(column) for column in table.values()}
        if len(lengths) > 1:
            raise TokenizerError(
                f"The table's columns have {sorted(lengths)} cells; they must have equally many."
            )
        rows = [list(table), *zip(*table.values(), strict=True)]
    elif isinstance(table, list | tuple) and all(isinstance(row, list | tuple) for row in table):
        rows = list(table)
    else:
        raise TokenizerError(
            "A table is a pandas DataFrame, a mapping of column names to columns, or a list of rows, names "
            f"first; not {type(table).__name__}."
        )
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise TokenizerError("A table has at least one column, and equally many cells in each row.")
    return [[str(cell) for cell in row] for row in rows]


def is_empty(text: str) -> bool:
    """Whether a text stands for no value, or has neither letter nor digit."""
    return text.strip().lower() in ("n/a", "?", "nan") or not re.search(r"[^\W_]", text)
