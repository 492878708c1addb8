"""What LUKE's tokenizer refuses, and where it goes further than its recorded answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zoo_core import AutoTokenizer
from zoo_core.errors import TokenizerError

VOCABULARIES = Path(__file__).parent.parent / "parity" / "tokenizers" / "vocabularies"
TEXT = "Mr. Smith paid $5."


def luke(folder: Path, **options: Any) -> Any:
    for name, source in (("vocab.json", "byte_level.json"), ("merges.txt", "byte_level_merges.txt")):
        (folder / name).write_bytes((VOCABULARIES / source).read_bytes())
    entities = (VOCABULARIES / "entities.json").read_bytes()
    (folder / "entity_vocab.json").write_bytes(entities)
    config = {"tokenizer_class": "LukeTokenizer", **options}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    ("task", "call", "complaint"),
    [
        (None, {"entity_spans": [(5, 40)]}, r"\(5, 40\) is not within the text's 18 characters"),
        (None, {"entity_spans": [(9, 4)]}, r"\(9, 4\) is not within"),
        (None, {"entity_spans": (0, 9)}, r"list of \(start, end\)"),
        (None, {"entity_spans": [(0, 9)], "entities": ["a", "b"]}, "2 entities do not go with 1"),
        (None, {"entity_spans": [(0, 9)], "entities": [4]}, "a list of names"),
        (None, {"entities": ["fox"]}, "needs entity_spans"),
        (None, {"entity_spans": [(0, 9)], "return_offsets_mapping": True}, "together with entities"),
        ("entity_classification", {}, "entity_spans"),
        ("entity_classification", {"entity_spans": [(0, 3), (4, 9)]}, "takes 1 entity_spans"),
        ("entity_pair_classification", {"entity_spans": [(0, 3)]}, "takes 2 entity_spans"),
        ("entity_span_classification", {"entity_spans": []}, "takes one or more"),
    ],
)
def test_wrong_entities_are_named(
    tmp_path: Path, task: str | None, call: dict[str, Any], complaint: str
) -> None:
    tokenizer = luke(tmp_path, task=task)
    with pytest.raises(TokenizerError, match=complaint):
        tokenizer(TEXT, **call)


def test_a_batch_needs_spans_for_each_text(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="entry for each of its 2 texts"):
        luke(tmp_path)([TEXT, TEXT], entity_spans=[[(0, 9)]])


def test_unusable_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match="task is one of"):
        luke(tmp_path, task="classification")
    with pytest.raises(TokenizerError, match=r"has no '\[NONE\]', the entity_pad_token"):
        luke(tmp_path, entity_pad_token="[NONE]")


def test_entities_move_with_tokens_that_are_cut_on_the_left(tmp_path: Path) -> None:
    tokenizer = luke(tmp_path, truncation_side="left", max_mention_length=3)
    whole = tokenizer(TEXT, entity_spans=[(0, 9), (15, 17)])
    cut = tokenizer(TEXT, entity_spans=[(0, 9), (15, 17)], truncation=True, max_length=8)
    (place,) = cut["entity_position_ids"]
    positions = [at for at in place if at >= 0]
    tokens = [cut["input_ids"][at] for at in positions]
    assert tokens == [whole["input_ids"][at] for at in whole["entity_position_ids"][1] if at >= 0]


def test_collators_pad_entities(tmp_path: Path) -> None:
    tokenizer = luke(tmp_path, max_mention_length=3)
    rows = [tokenizer(TEXT, entity_spans=spans) for spans in ([(0, 9), (15, 17)], [(0, 2)])]
    padded = tokenizer.pad(rows, return_tensors="pt")
    assert padded["entity_position_ids"].shape == (2, 2, 3)
    assert padded["entity_ids"].tolist() == [[2, 2], [2, 0]]
    assert padded["entity_attention_mask"].tolist() == [[1, 1], [1, 0]]
