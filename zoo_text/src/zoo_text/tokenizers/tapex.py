"""TAPEX: questions about tables, written out row by row for BART (https://arxiv.org/abs/2107.07653)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import BatchEncoding
from zoo_core.tokenization.families import RobertaLikeTokenizer
from zoo_text.tokenizers.tables import rows_of

_DROP = "drop_rows_to_fit"


class TapexTokenizer(RobertaLikeTokenizer):
    """TAPEX: BART's byte-level BPE over ``query col : names row 1 : cells row 2 : ...``.

    table: a pandas DataFrame, a mapping of column names to columns, or a list of rows, the first of them the
    header; a list of such for several. query: a question for each, or one for all. answer: texts to encode
    alone, as labels. ``truncation="drop_rows_to_fit"`` drops the last rows instead of cutting one.

    Args:
        do_lower_case: write everything in lower case. max_cell_length: tokens of a cell that are kept.
    """

    settings: ClassVar[Mapping[str, Any]] = {"do_lower_case": True, "max_cell_length": 15}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    do_lower_case: bool
    max_cell_length: int

    def __call__(
        self, table: Any = None, query: Any = None, answer: Any = None, **kwargs: Any
    ) -> BatchEncoding:
        if table is None and answer is None:
            raise TokenizerError("You need to provide either a `table` or an `answer`.")
        if table is None:
            texts = [answer] if isinstance(answer, str) else list(answer)
            written = [text.lower() if self.do_lower_case else text for text in texts]
            return super().__call__(written[0] if isinstance(answer, str) else written, **kwargs)
        several = isinstance(table, list | tuple) and bool(table) and not _is_row(table[0])
        asked = isinstance(query, list | tuple)
        tables = list(table) if several else [table] * (len(query) if asked else 1)
        queries = list(query) if asked else [query or ""] * len(tables)
        if len(tables) != len(queries):
            raise TokenizerError(f"{len(tables)} tables and {len(queries)} queries; pass as many, or one.")
        limit = None
        if kwargs.get("truncation") == _DROP:
            kwargs["truncation"], limit = True, kwargs.get("max_length") or self.model_max_length
        texts = [
            self.prepare_table_query(each, text, max_length=limit)
            for each, text in zip(tables, queries, strict=True)
        ]
        return super().__call__(texts if several or asked else texts[0], **kwargs)

    def encode(self, table: Any = None, query: Any = None, answer: Any = None, **kwargs: Any) -> Any:
        """The ids of one question and a table, or of an answer."""
        return self(table, query, answer, **kwargs)["input_ids"]

    def prepare_table_query(self, table: Any, query: str, *, max_length: int | None = None) -> str:
        """The text of a question and a table, less the last rows that do not fit into `max_length` tokens."""
        header, *rows = rows_of(table)
        if not rows:
            warnings.warn(f"the table of the query {query!r:.60} is empty", stacklevel=3)
            return self._cased(query)
        room = None if max_length is None else max_length - self.num_special_tokens_to_add()
        start = f"{query} " if query else ""
        text = f"{start}col : {' | '.join(header)}"
        for number, row in enumerate(rows, start=1):
            longer = f"{text} row {number} : {' | '.join(map(self.truncate_cell, row))}"
            if room is not None and len(self.tokenize(self._cased(longer))) > room:
                break
            text = longer
        return self._cased(start + text[len(start) :].strip())

    def truncate_cell(self, cell: str) -> str:
        """A cell's first `max_cell_length` tokens."""
        if not cell.strip():
            return cell
        tokens = self.tokenize(self._cased(cell))
        if len(tokens) <= self.max_cell_length:
            return cell
        return self.convert_tokens_to_string(tokens[: self.max_cell_length])

    def _cased(self, text: str) -> str:
        return text.lower() if self.do_lower_case else text


def _is_row(first: Any) -> bool:
    """Whether the first entry of a list is a row of cells, not a table."""
    return isinstance(first, list | tuple) and not any(isinstance(cell, list | tuple) for cell in first)
