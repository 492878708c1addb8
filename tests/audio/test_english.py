"""English as Tortoise's models read it, and CLVP's tokenizer over it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zoo_audio.tokenizers.english import normalized_english
from zoo_audio.tokenizers.speech import ClvpTokenizer
from zoo_core import AutoTokenizer

RECORDED = {
    "0 and 007": "zero and seven",
    "1000, 1001, 1010": "one thousand, one thousand, one, one thousand, ten",
    "1100 1984 2000 2005 2010": "eleven hundred one thousand, nine hundred eighty-four two thousand "
    "two thousand five two thousand, ten",
    "1,234,567": "one million, two hundred thirty-four thousand, five hundred sixty-seven",
    "3.14 and 2.5.6": "three point fourteen and two point five.six",
    "$3.50 $1 $0.05 $1.01 $.50 $5.": "three dollars, fifty cents one dollar five cents one dollar, one cent "
    "fifty cents five dollars.",
    "1st 12th 101st": "onest twelveth one hundred onest",
    "Mrs. X, dr. st. ms. first. st": "misess x, doctor saint ms. first. st",
    'a "quoted"\tword  é': "a quoted word ",
}


@pytest.mark.parametrize("text", RECORDED)
def test_text_is_read_as_recorded(text: str) -> None:
    assert normalized_english(text) == RECORDED[text]


def test_numbers_too_long_for_words_are_read_by_digits() -> None:
    assert normalized_english("1" + "0" * 21) == " ".join(["one", *["zero"] * 21])


def test_blanks_are_tokens_and_special_ones_stay(tmp_path: Path) -> None:
    letters = {token: i for i, token in enumerate(["[STOP]", "[UNK]", "[SPACE]", *"abcdehinortw", "tw"])}
    (tmp_path / "vocab.json").write_text(json.dumps(letters))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nt w\n")
    tokenizer = ClvpTokenizer(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    tokenizer.save_pretrained(tmp_path / "saved")
    for one in (tokenizer, AutoTokenizer.from_pretrained(tmp_path / "saved")):
        assert one.tokenize("A 2[STOP]") == ["a", "[SPACE]", "tw", "o", "[STOP]"]
        ids = one(["Hi 2", "2"])["input_ids"]
        assert one.decode(ids[0], skip_special_tokens=True) == "hi[SPACE]two" and len(ids[1]) == 2
