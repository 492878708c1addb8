"""TAPEX: tables of any kind as text, against what transformers 4.57.6 answers (tapex.json), and bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from zoo_core import AutoTokenizer
from zoo_core.errors import TokenizerError

RECORDED = json.loads((Path(__file__).parent / "tapex.json").read_text())
VOCABULARIES = Path(__file__).parents[1] / "parity/tokenizers/vocabularies"
TABLE = [["Name", "Age"], ["Bob", "12"], ["Ann", "7"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(VOCABULARIES / "byte_level.json", tmp_path / "vocab.json")
    shutil.copy(VOCABULARIES / "byte_level_merges.txt", tmp_path / "merges.txt")
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "TapexTokenizer"}')
    return tmp_path


@pytest.mark.parametrize("case", RECORDED, ids=range(len(RECORDED)))
def test_recorded_tables(case: dict[str, Any], folder: Path) -> None:
    table, query = case["table"], case["query"]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer(table, query)["input_ids"] == case["lower"]
    assert tokenizer(table, query, truncation=True, max_length=30)["input_ids"] == case["cut"]
    cased = AutoTokenizer.from_pretrained(folder, do_lower_case=False, max_cell_length=4)
    assert cased(table, query)["input_ids"] == case["cased"]


def test_tables_of_every_kind_and_in_batches(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    frame = SimpleNamespace(columns=TABLE[0], itertuples=lambda index, name: iter(TABLE[1:]))
    mapping = {"Name": ["Bob", "Ann"], "Age": [12, 7]}
    wanted = tokenizer(TABLE, "Who")["input_ids"]
    assert tokenizer.decode(wanted) == "<s>who col : name | age row 1 : bob | 12 row 2 : ann | 7</s>"
    assert tokenizer(frame, "Who")["input_ids"] == tokenizer(mapping, "Who")["input_ids"] == wanted
    assert tokenizer(TABLE, ["Who", "Who"])["input_ids"] == tokenizer([TABLE, frame], "Who")["input_ids"]
    both = tokenizer([TABLE, [["A"], ["b"]]], ["Who", "x"], padding=True, return_tensors="pt")
    assert both["input_ids"].shape == (2, len(wanted))
    assert tokenizer.decode(tokenizer(answer="Bob")["input_ids"]) == "<s>bob</s>"


def test_rows_that_do_not_fit_are_dropped_whole(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    whole = len(tokenizer(TABLE, "Who")["input_ids"])
    short = tokenizer(TABLE, "Who", truncation="drop_rows_to_fit", max_length=whole - 1)
    assert tokenizer.decode(short["input_ids"]) == "<s>who col : name | age row 1 : bob | 12</s>"


def test_bad_input(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with pytest.raises(TokenizerError, match="either a `table` or an `answer`"):
        tokenizer()
    with pytest.raises(TokenizerError, match="DataFrame"):
        tokenizer("a table", "who")
    with pytest.raises(TokenizerError, match="2 tables and 3 queries"):
        tokenizer([TABLE, TABLE], ["a", "b", "c"])
    with pytest.warns(UserWarning, match="is empty"):
        assert tokenizer.decode(tokenizer([["A"]], "who")["input_ids"]) == "<s>who</s>"
