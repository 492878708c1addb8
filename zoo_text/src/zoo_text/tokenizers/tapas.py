"""Questions about tables: TAPAS (https://arxiv.org/abs/2004.02349)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import BatchEncoding
from zoo_core.tokenization.options import resolve_lengths
from zoo_core.tokenization.padding import columns_of, pad_columns, target_length
from zoo_core.tokenization.tensors import as_list
from zoo_text.tokenizers.table_values import find_values, relations
from zoo_text.tokenizers.tables import Cell, Places, Table, is_empty, rows_of
from zoo_text.tokenizers.wordpiece import BertTokenizer

TRUNCATIONS = ("drop_rows_to_fit", "do_not_truncate")
KINDS = 7
"""Token types: segment, column, row, earlier answer, rank, inverse rank, relation to the question."""


class TapasTokenizer(BertTokenizer):
    """TAPAS: BERT's WordPiece for a question and a table, with seven token types.

    table: a pandas DataFrame, a mapping of column names to columns, or a list of rows, the first of them the
        names; cells are read as texts.
    queries: a question, or a list of questions that follow each other on one table.
    answer_coordinates: (row, column), from 0, of each cell of the answer; a list of such lists for a list of
        questions. answer_text: the answer's texts. Both together give `labels`, `numeric_values` (nan where a
        cell has none) and `numeric_values_scale`.
    truncation: True or "drop_rows_to_fit" shortens cells, then drops rows from the end.

    cell_trim_length: most tokens of a cell, -1 for no such limit. max_column_id, max_row_id: limits of the
    table, model_max_length by default. strip_column_names: leave the header's texts out.
    update_answer_coordinates: look the answer's texts up in the table. min_question_length and
    max_question_length: shorter and longer questions are left out.
    """

    special_tokens: ClassVar[Mapping[str, Any]] = {
        **BertTokenizer.special_tokens,
        "empty_token": "[EMPTY]",
        "additional_special_tokens": ("[EMPTY]",),
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "cell_trim_length": -1,
        "max_column_id": None,
        "max_row_id": None,
        "strip_column_names": False,
        "update_answer_coordinates": False,
        "min_question_length": None,
        "max_question_length": None,
    }
    template = ("cls $A sep", "cls $A sep $B:1")
    model_max_length = 512

    cell_trim_length: int
    max_column_id: int | None
    max_row_id: int | None
    strip_column_names: bool
    update_answer_coordinates: bool
    min_question_length: int | None
    max_question_length: int | None

    def __call__(  # type: ignore[override]
        self,
        table: Any,
        queries: Any = None,
        answer_coordinates: Any = None,
        answer_text: Any = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str = False,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        **kwargs: Any,
    ) -> BatchEncoding:
        if return_offsets_mapping or return_overflowing_tokens:
            raise TokenizerError("Offsets and overflowing tokens cannot be had of a table.")
        self._call_extras(kwargs)
        fits = {True: True, "drop_rows_to_fit": True}.get(getattr(truncation, "value", truncation), False)
        if not fits and getattr(truncation, "value", truncation) not in (None, False, "do_not_truncate"):
            raise TokenizerError(f"truncation is True, False or one of {', '.join(TRUNCATIONS)}.")
        pad, _, length = resolve_lengths(
            padding,
            True,
            max_length,
            pad_to_multiple_of,
            model_max_length=self.model_max_length,
            verbose=verbose,
        )
        single = queries is None or isinstance(queries, str)
        questions = _questions(queries)
        answers = self._answers(answer_coordinates, answer_text, len(questions), single)
        read = self._table(table)
        rows = [
            self._row(
                read,
                question,
                ids,
                special=add_special_tokens,
                fits=fits,
                length=length if fits else max_length,
                answer=answers[i] if answers else None,
                earlier=answers[i - 1] if answers and i else None,
            )
            for i, (question, ids) in enumerate(self._bounded(questions))
        ]
        dropped = {
            "token_type_ids": return_token_type_ids is False,
            "attention_mask": return_attention_mask is False,
            "special_tokens_mask": not return_special_tokens_mask,
        }
        data: Any = {key: [row[key] for row in rows] for key in rows[0] if not dropped.get(key)}
        if pad != "do_not_pad":
            mask = return_attention_mask is not False
            data = dict(self.pad(data, pad, length, pad_to_multiple_of, padding_side, mask))
        if return_length:
            data["length"] = [len(ids) for ids in data["input_ids"]]
        if single and return_tensors is None:
            data = {key: value[0] for key, value in data.items()}
        return BatchEncoding(data, tensor_type=return_tensors)

    def encode(self, table: Any, query: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        """The ids of one question and a table."""
        return self(table, query, **kwargs)["input_ids"]

    def encode_plus(self, table: Any, query: Any = None, **kwargs: Any) -> BatchEncoding:  # type: ignore[override]
        """The call for one question, under its older name."""
        return self(table, query, **kwargs)

    def batch_encode_plus(self, table: Any, queries: Any = None, **kwargs: Any) -> BatchEncoding:  # type: ignore[override]
        """The call for several questions, under its older name."""
        return self(table, queries, **kwargs)

    def pad(
        self,
        encoded_inputs: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        data, kind = columns_of(encoded_inputs)
        pad, _, most = resolve_lengths(
            padding, False, max_length, None, model_max_length=self.model_max_length, verbose=False
        )
        ids = data.get("input_ids")
        if ids:
            single = not isinstance(ids[0], list)
            longest = len(ids) if single else max(map(len, ids))
            length = target_length(longest, pad, most, pad_to_multiple_of) or 0
            fills = {"token_type_ids": [0] * KINDS, "labels": 0}
            fills |= {"numeric_values": math.nan, "numeric_values_scale": 1.0}
            pad_columns(data, fills, length, padding_side or self.padding_side, single=single)
        return super().pad(
            data,
            padding,
            max_length,
            pad_to_multiple_of,
            padding_side,
            return_attention_mask,
            return_tensors or kind,
            verbose,
        )

    # Reading

    def tokenize(
        self, text: str, pair: str | None = None, add_special_tokens: bool = False, **kwargs: Any
    ) -> list[str]:
        if pair is None and not add_special_tokens:
            return list(self.convert_ids_to_tokens(self._tokens([text])[0]))
        return super().tokenize(text, pair, add_special_tokens, **kwargs)

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of texts; what holds neither letter nor digit is the empty token, but nothing stays nothing."""
        empty = self.convert_tokens_to_ids(self.empty_token)
        encoded = super().__call__(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        return [[empty] if text and is_empty(text) else ids for text, ids in zip(texts, encoded, strict=True)]

    def _table(self, table: Any) -> Table:
        texts = rows_of(table)
        columns = len(texts[0])
        if columns >= (self.max_column_id or self.model_max_length):
            raise TokenizerError(
                f"The table has {columns} columns; max_column_id is "
                f"{self.max_column_id or self.model_max_length}, and there must be fewer."
            )
        flat = [text for row in texts for text in row]
        if self.strip_column_names:
            flat[:columns] = [""] * columns
        ids = self._tokens(flat)
        known = list({index for cell in ids for index in cell})
        tokens = self.convert_ids_to_tokens(known)
        inner = frozenset(i for i, token in zip(known, tokens, strict=True) if token.startswith("##"))
        return Table(texts, [ids[at : at + columns] for at in range(0, len(ids), columns)], inner)

    def _bounded(self, questions: list[str]) -> list[tuple[str, list[int]]]:
        """Questions and their ids; those whose length is out of bounds are left out."""
        least, most = self.min_question_length or 0, self.max_question_length
        found = []
        for question, ids in zip(questions, self._tokens(questions), strict=True):
            if len(ids) < least or (most is not None and len(ids) > most):
                bounds = f"{least} or more" if most is None else f"{least} to {most}"
                self._warn_once(
                    "question", f"A question of {len(ids)} tokens is left out: {bounds} are taken."
                )
                question, ids = "", []
            found.append((question, ids))
        return found

    def _answers(
        self, coordinates: Any, texts: Any, count: int, single: bool
    ) -> list[tuple[list[Cell], list[str]]] | None:
        """For each question its answer's cells and texts."""
        if coordinates is None and texts is None:
            return None
        if coordinates is None or texts is None:
            raise TokenizerError("An answer is given by answer_coordinates= and answer_text= together.")
        given = [(coordinates, texts)] if single else list(zip(coordinates, texts, strict=False))
        if len(given) != count or (not single and len(coordinates) != len(texts)):
            raise TokenizerError(
                f"{count} questions need as many entries in answer_coordinates and answer_text."
            )
        return [([(int(r), int(c)) for r, c in cells], [str(t) for t in words]) for cells, words in given]

    # One question

    def _row(
        self,
        table: Table,
        question: str,
        ids: list[int],
        *,
        special: bool,
        fits: bool,
        length: int | None,
        answer: tuple[list[Cell], list[str]] | None,
        earlier: tuple[list[Cell], list[str]] | None,
    ) -> dict[str, list[Any]]:
        frame = self._frame(True)
        before = [*frame.before, *ids, *frame.between] if special else list(ids)
        budget = math.inf if length is None else length - len(before)
        rows, most = self._limits(table, budget, fits=fits)
        places = table.places(rows, most)
        total = len(before) + len(places.ids)
        if total > len(before) + budget:
            raise TokenizerError(
                f"The question and the table have {total} tokens, more than max_length={length}: raise it, "
                "or pass truncation=True to drop rows" + (" (the header alone is too long)." if fits else ".")
            )
        previous = self._labels(table, places, *earlier) if earlier else [0] * len(places.ids)
        start = len(before)
        row: dict[str, list[Any]] = {
            "input_ids": before + places.ids,
            "attention_mask": [1] * total,
            "token_type_ids": [[0] * KINDS for _ in before] + self._kinds(table, question, places, previous),
            "special_tokens_mask": [int(i == 0 or i == start - 1) if special else 0 for i in range(start)]
            + [0] * len(places.ids),
        }
        if answer is not None:
            row["labels"] = [0] * start + self._labels(table, places, *answer)
            values = [table.values[column].get(at, math.nan) for at, column in places.cells]
            row["numeric_values"] = [math.nan] * start + [
                v if isinstance(v, float) else math.nan for v in values
            ]
            sizes = [float(len(places.by_cell[cell])) if cell[0] >= 0 else 1.0 for cell in places.cells]
            row["numeric_values_scale"] = [1.0] * start + sizes
        return row

    def _limits(self, table: Table, budget: float, *, fits: bool) -> tuple[int, int | None]:
        """Rows, and tokens of a cell, that are kept: whole cells before many rows, many rows before none."""
        rows, limit = len(table.texts) - 1, self.max_row_id or self.model_max_length
        if rows >= limit:
            if not fits:
                raise TokenizerError(
                    f"The table has {rows} rows; max_row_id is {limit}, and there must be fewer: pass "
                    "truncation=True to drop rows."
                )
            rows = limit - 1
        if not fits:
            return rows, None
        return table.fitting(rows, budget, self.cell_trim_length if self.cell_trim_length >= 0 else None)

    def _kinds(self, table: Table, question: str, places: Places, previous: Sequence[int]) -> list[list[int]]:
        """The token types of a table's tokens."""
        asked = find_values(question)
        related = [relations(asked, values) for values in table.values]
        kinds = []
        for (row, column), earlier in zip(places.cells, previous, strict=True):
            rank, inverse = table.ranks[column].get(row, (0, 0))
            kinds.append([1, column + 1, row + 1, earlier, rank, inverse, related[column].get(row, 0)])
        return kinds

    def _labels(self, table: Table, places: Places, cells: Sequence[Cell], texts: Sequence[str]) -> list[int]:
        """1 for the tokens of an answer, 0 for others."""
        labels = [0] * len(places.ids)
        if not self.update_answer_coordinates:
            for cell in cells:
                found = places.by_cell.get(cell) if cell[0] >= 0 else None
                if not found:
                    raise TokenizerError(f"The answer {cell} is no cell (row, column) of the encoded table.")
                for at in found:
                    labels[at] = 1
            return labels
        for words in self._tokens(texts):
            for at in self._find(table, places, words):
                labels[at] = 1
        return labels

    def _find(self, table: Table, places: Places, words: list[int]) -> list[int]:
        """Where a text's tokens stand first in a cell of the table."""
        for row in range(len(table.tokens) - 1):
            for column in range(len(table.tokens[0])):
                at = places.by_cell.get((row, column), [])
                cell = [places.ids[i] for i in at]
                for start in range(len(cell) - len(words) + 1):
                    if words and cell[start : start + len(words)] == words:
                        return at[start : start + len(words)]
        raise TokenizerError("The answer's text is in no cell of the encoded table.")

    # Answers

    def convert_logits_to_predictions(
        self,
        data: Mapping[str, Any],
        logits: Any,
        logits_agg: Any = None,
        cell_classification_threshold: float = 0.5,
    ) -> tuple[list[Any], ...]:
        """For each row the cells (row, column) whose tokens' mean probability is above the threshold.

        data: what the call returned. logits: (batch, sequence), torch or numpy. With logits_agg (batch,
        operations) also the index of each row's operation.
        """
        answers = []
        for scores, kinds, mask in zip(
            *(as_list(each) for each in (logits, data["token_type_ids"], data["attention_mask"])), strict=True
        ):
            found: dict[Cell, list[float]] = {}
            for score, (segment, column, row, *_), real in zip(scores, kinds, mask, strict=True):
                if segment == 1 and column > 0 and row > 0:
                    probability = real / (1 + math.exp(-max(score, -88.7)))
                    found.setdefault((row - 1, column - 1), []).append(probability)
            means = {cell: sum(each) / len(each) for cell, each in found.items()}
            answers.append(sorted(cell for cell in means if means[cell] > cell_classification_threshold))
        if logits_agg is None:
            return (answers,)
        return answers, [max(range(len(row)), key=row.__getitem__) for row in as_list(logits_agg)]


def _questions(queries: Any) -> list[str]:
    if queries is None or isinstance(queries, str):
        return [queries or ""]
    if not isinstance(queries, list | tuple) or not all(isinstance(query, str) for query in queries):
        raise TokenizerError(f"queries is a str or a list of str, not {queries!r:.80}.")
    if not queries:
        raise TokenizerError("queries is an empty list: pass a question, or None for the table alone.")
    return list(queries)
