#!/usr/bin/env python3
"""Measure the calls of tokenizers that take more than text with the reference, in an environment that has it.

    pip install transformers==4.57.6 "tokenizers<0.23" sentencepiece protobuf pandas
    python measure.py [CASE...]

Each CASE.json holds the vocabulary files (names in ../tokenizers/vocabularies), the keywords of construction,
and what each method returned for its arguments.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VOCABULARIES = HERE.parent / "tokenizers" / "vocabularies"

BYTE_LEVEL = {"vocab.json": "byte_level.json", "merges.txt": "byte_level_merges.txt"}
ENTITIES = {"entity_vocab.json": "entities.json"}
LUKE = {**BYTE_LEVEL, **ENTITIES}
MLUKE = {"sentencepiece.bpe.model": "unigram.model", **ENTITIES}

PAID, FOX = "Mr. Smith paid $5 (or 10%) for it.", "The quick brown fox jumps over the lazy dog."
ONE = {"text": PAID, "entity_spans": [(0, 9)]}
TWO = {"text": PAID, "entity_spans": [(0, 9), (19, 25)]}
PAIR = {**TWO, "text_pair": FOX, "entity_spans_pair": [(4, 19), (0, 3)]}
BATCH = {"text": [PAID, FOX], "entity_spans": [[(0, 9), (19, 25)], [(16, 19)]]}
BATCH_ENTITIES = {"entities": [["Mr. Smith", "nobody"], ["fox"]]}
SPANS: list[dict[str, Any]] = [
    ONE,
    {**TWO, "entities": ["Mr. Smith", "nobody"], "return_token_type_ids": True},
    {**TWO, "add_special_tokens": False, "return_special_tokens_mask": True, "return_length": True},
    PAIR,
    {**PAIR, "truncation": True, "max_length": 30},
    {**PAIR, "truncation": "only_first", "max_length": 60, "max_entity_length": 3},
    {**BATCH, **BATCH_ENTITIES, "padding": True},
    {**BATCH, "padding": True, "padding_side": "left", "pad_to_multiple_of": 4},
    {**BATCH, "padding": "max_length", "truncation": True, "max_length": 12},
    {"text": PAID, "entity_spans": [(15, 16), (0, 34), (9, 14)]},
    {"text": PAID},
]
ACTORS = [
    ["Actor", "Age", "Films", "Born"],
    ["Brad Pitt", "56", "87", "18 December 1963"],
    ["Leonardo", "45", "53 or more", "11 November 1974"],
    ["", "?", "69", "May 6, 1961"],
]
WHO, WHEN = "Who is older than 45?", "Who was born after 1963 or on May 6?"
CELLS: dict[str, Any] = {"answer_coordinates": [(0, 0), (1, 1)], "answer_text": ["Brad Pitt", "45"]}
TABLE: list[dict[str, Any]] = [
    {"table": ACTORS},
    {"table": ACTORS, "queries": WHO, "return_special_tokens_mask": True, "return_length": True},
    {"table": ACTORS, "queries": "?", **CELLS},
    {
        "table": ACTORS,
        "queries": [WHO, WHEN],
        "answer_coordinates": [[(0, 0)], [(1, 1), (2, 3)]],
        "answer_text": [["Brad Pitt"], ["45", "6"]],
        "padding": "max_length",
        "max_length": 110,
    },
    {"table": ACTORS, "queries": [WHO, WHEN], "padding": True, "padding_side": "left"},
    *({"table": ACTORS, "queries": WHO, "truncation": True, "max_length": n} for n in (30, 40, 55, 70)),
]
WORDS = {"vocab.txt": "tapas.txt"}
CASES: dict[str, tuple[dict[str, str], dict[str, Any], list[dict[str, Any]]]] = {
    "LukeTokenizer": (LUKE, {"max_mention_length": 5, "max_entity_length": 3}, SPANS),
    "LukeTokenizer.one": (LUKE, {"task": "entity_classification", "max_mention_length": 8}, [ONE]),
    "LukeTokenizer.two": (LUKE, {"task": "entity_pair_classification", "max_mention_length": 8}, [TWO]),
    "LukeTokenizer.spans": (LUKE, {"task": "entity_span_classification"}, [TWO, {**BATCH, "padding": True}]),
    "TapasTokenizer": (WORDS, {}, TABLE),
    "TapasTokenizer.trimmed": (WORDS, {"cell_trim_length": 2, "max_row_id": 3}, TABLE[5:]),
    "TapasTokenizer.bounds": (WORDS, {"strip_column_names": True, "max_question_length": 12}, TABLE[:3]),
    "MLukeTokenizer": (MLUKE, {"max_mention_length": 5, "max_entity_length": 3}, SPANS),
    "MLukeTokenizer.two": (MLUKE, {"task": "entity_pair_classification", "max_mention_length": 8}, [TWO]),
}


def given(call: dict[str, Any]) -> dict[str, Any]:
    """The call with its table as the reference takes it."""
    if "table" not in call:
        return call
    import pandas

    header, *rows = call["table"]
    return {**call, "table": pandas.DataFrame(rows, columns=header).astype(str)}


def measure(name: str) -> dict[str, Any]:
    import transformers

    files, options, calls = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        for target, source in files.items():
            shutil.copy(VOCABULARIES / source, Path(folder) / target)
        tokenizer = getattr(transformers, name.partition(".")[0]).from_pretrained(folder, **options)
        answers = [{"arguments": call, "returns": dict(tokenizer(**given(call)))} for call in calls]
    return {"class": name.partition(".")[0], "files": files, "options": options, "calls": answers}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", default=[])
    for name in parser.parse_args().cases or CASES:
        found = json.dumps(measure(name), ensure_ascii=False, default=lambda array: array.tolist())
        (HERE / f"{name}.json").write_text(found + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
