"""RoCBert's words with their shapes and pronunciations; the numbers are what the reference gave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zoo_core import AutoTokenizer
from zoo_core.errors import TokenizerError

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "\u4f60", "\u597d", "\u662f", "\u8c01", "a", "b",
         "c", "##a", "##b", "##c", "hello", "wor", "##ld", ",", "."]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    shapes = {word: index + 2 for index, word in enumerate(WORDS)}
    sounds = {word: (3 * index + 1) % 20 for index, word in enumerate(WORDS)}
    (tmp_path / "word_shape.json").write_text(json.dumps(shapes), encoding="utf-8")
    (tmp_path / "word_pronunciation.json").write_text(json.dumps(sounds), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "RoCBertTokenizer"}')
    return tmp_path


def test_looks_go_with_the_ids(folder: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(tmp_path / "saved")
    for each in (tokenizer, AutoTokenizer.from_pretrained(tmp_path / "saved")):
        pair = each("\u4f60\u597d hello World, abc [MASK]", "\u662f\u8c01 zz")
        assert pair["input_ids"] == [2, 5, 6, 15, 16, 17, 18, 9, 13, 14, 4, 3, 7, 8, 1, 3]
        assert pair["input_shape_ids"] == [3, 7, 8, 17, 18, 19, 20, 11, 15, 16, 6, 3, 9, 10, 3, 3]
        assert pair["input_pronunciation_ids"] == [4, 16, 19, 6, 9, 12, 15, 8, 0, 3, 13, 4, 2, 5, 4, 4]
        assert each.decode(pair["input_ids"][1:12]) == "\u4f60 \u597d hello world , abc [MASK] [SEP]"
        padded = each(["\u4f60\u597d", "a b c hello"], padding=True, return_tensors="pt")
        assert padded["input_shape_ids"].tolist() == [[3, 7, 8, 3, 0, 0], [3, 11, 12, 13, 17, 3]]
        assert each("\u4f60\u597d a b c", max_length=4, truncation=True)["input_shape_ids"] == [3, 7, 8, 3]
        assert each.convert_tokens_to_shape_ids(["\u4f60", "zz", "[CLS]"]) == [7, 3, 4]


def test_both_tables_are_needed(folder: Path) -> None:
    (folder / "word_shape.json").unlink()
    with pytest.raises(TokenizerError, match=r"needs word_shape\.json"):
        AutoTokenizer.from_pretrained(folder)
