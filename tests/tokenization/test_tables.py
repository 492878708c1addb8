"""Tables for TAPAS: forms, refusals, values, and cells from a model's scores."""

from __future__ import annotations

import json
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_core import AutoTokenizer
from zoo_core.errors import TokenizerError
from zoo_text.tokenizers.table_values import column_values, find_values, ranks, relations

VOCABULARIES = Path(__file__).parent.parent / "parity" / "tokenizers" / "vocabularies"
ROWS = [["actor", "age"], ["Brad", "56"], ["Leonardo", "45"]]


def tapas(folder: Path, **options: Any) -> Any:
    (folder / "vocab.txt").write_bytes((VOCABULARIES / "tapas.txt").read_bytes())
    config = {"tokenizer_class": "TapasTokenizer", **options}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return AutoTokenizer.from_pretrained(folder)


class Frame:
    """What is read of a pandas DataFrame."""

    columns = ("actor", "age")

    def itertuples(self, index: bool = True, name: str | None = "Pandas") -> Any:
        assert not index and name is None
        return iter([("Brad", 56), ("Leonardo", 45)])


def test_tables_of_all_forms_are_the_same(tmp_path: Path) -> None:
    tokenizer = tapas(tmp_path)
    columns = {"actor": ["Brad", "Leonardo"], "age": [56, 45]}
    row = namedtuple("row", "a b")
    forms = [ROWS, columns, Frame(), [row(*each) for each in ROWS]]
    first, *others = [dict(tokenizer(form, "who is 45?")) for form in forms]
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ({"table": "a,b"}, "A table is a pandas DataFrame"),
        ({"table": []}, "at least one column"),
        ({"table": [["a", "b"], ["c"]]}, "equally many cells"),
        ({"table": {"a": ["1"], "b": []}}, r"columns have \[0, 1\] cells"),
        ({"queries": []}, "empty list"),
        ({"queries": 3}, "queries is a str"),
        ({"truncation": "longest_first"}, "drop_rows_to_fit, do_not_truncate"),
        ({"queries": "who", "answer_coordinates": [(0, 0)]}, "together"),
        ({"queries": "who", "answer_coordinates": [(5, 0)], "answer_text": ["x"]}, r"\(5, 0\) is no cell"),
        ({"queries": ["who"], "answer_coordinates": [], "answer_text": []}, "1 questions need as many"),
        ({"queries": "who", "max_length": 8}, "truncation=True to drop rows"),
        ({"queries": "who", "max_length": 4, "truncation": True}, "header alone is too long"),
        ({"return_offsets_mapping": True}, "cannot be had"),
    ],
)
def test_unusable_calls_are_named(tmp_path: Path, call: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TokenizerError, match=complaint):
        tapas(tmp_path)(**{"table": ROWS, **call})


def test_tables_beyond_the_limits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="2 columns; max_column_id is 2"):
        tapas(tmp_path, max_column_id=2)(ROWS, "who")
    with pytest.raises(TokenizerError, match="2 rows; max_row_id is 2"):
        tapas(tmp_path, max_row_id=2)(ROWS, "who")


def test_answers_are_found_by_their_texts(tmp_path: Path) -> None:
    tokenizer = tapas(tmp_path, update_answer_coordinates=True)
    answer = {"answer_coordinates": [], "answer_text": ["leonardo"]}
    encoded = tokenizer(ROWS, "who", **answer)
    kinds = [kind for kind, label in zip(encoded["token_type_ids"], encoded["labels"], strict=True) if label]
    assert kinds and all(kind[1:3] == [1, 2] for kind in kinds)
    with pytest.raises(TokenizerError, match="in no cell"):
        tokenizer(ROWS, "who", answer_coordinates=[], answer_text=["nobody"])


def test_scores_become_cells(tmp_path: Path) -> None:
    tokenizer = tapas(tmp_path)
    encoded = tokenizer(ROWS, ["who is 45?", "who"], padding=True, return_tensors="pt")
    chosen = [(1, 1), (1, 0)]  # of each question's row, column
    kinds = encoded["token_type_ids"]
    scores = torch.full(kinds.shape[:2], -9.0)
    for i, (row, column) in enumerate(chosen):
        scores[i, (kinds[i, :, 1] == column + 1) & (kinds[i, :, 2] == row + 1)] = 9.0
    cells, operations = tokenizer.convert_logits_to_predictions(encoded, scores, torch.eye(4)[[2, 0]])
    assert cells == [[(1, 1)], [(1, 0)]]
    assert operations == [2, 0]
    assert tokenizer.convert_logits_to_predictions(encoded, scores) == (cells,)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("-5 and 1,234.5 of .5", [-5.0, 1234.5, 0.5]),
        ("3-4", [3.0, 4.0]),
        ("the 21st of two", [21.0, 2.0]),
        ("1e400 nan inf", [1.0, 400.0]),
        ("1999", [1999.0, (1999, None, None)]),
        ("1990s", [(1990, None, None)]),
        ("2050-01-01", [2050.0, 1.0, 1.0]),
        ("May 5, 1999", [(1999, 5, 5)]),
        ("5 Sep 1999 or 05.01.1998", [(1999, 9, 5), (1998, 1, 5)]),
        ("12-31-1999", [(1999, 12, 31)]),
        ("Monday, May 5, 1999", [(None, 5, 5), (1999, 5, 5)]),
        ("February 30", [(None, 2, None), 30.0]),
        ("5.0.1999", [5.0, 0.1999]),
    ],
)
def test_numbers_and_dates_are_read(text: str, values: list[Any]) -> None:
    assert find_values(text) == values


def test_columns_are_ranked_and_compared() -> None:
    assert column_values(["1", "x", "y", "2"]) == {}
    assert column_values(["1999", "2001", "x", "1850"])[3] == (1850, None, None)
    numbers = column_values(["3", "1 or 9", "3", ""])
    assert numbers == {0: 3.0, 1: 1.0, 2: 3.0}
    assert ranks(numbers) == {0: (2, 1), 1: (1, 2), 2: (2, 1)}
    assert relations([3.0, 2.0, (1999, None, None)], numbers) == {0: 1 | 2, 1: 4, 2: 1 | 2}
    assert ranks({0: (1999, None, None), 1: (None, 5, 6)}) == {}
