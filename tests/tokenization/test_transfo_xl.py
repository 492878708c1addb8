"""The vocabularies that Transformer-XL repositories hold."""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_core.errors import UnsafeCheckpoint
from zoo_text.tokenizers.transfo_xl import TransfoXLTokenizer

WORDS = ["<eos>", "<unk>", "the", "cat"]
HELD: dict[str, Any] = {
    "idx2sym": WORDS,
    "sym2idx": OrderedDict((word, i) for i, word in enumerate(WORDS)),
    "counter": Counter(WORDS),
    "lower_case": False,
}


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("ran",))


def test_a_vocabulary_of_lists_is_read_and_saved_as_text(tmp_path: Path) -> None:
    torch.save(HELD, tmp_path / "vocab.bin")
    tokenizer = TransfoXLTokenizer.from_pretrained(tmp_path)
    assert tokenizer("the cat dog")["input_ids"] == [2, 3, 1]
    tokenizer.save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved" / "vocab.txt").read_text().split() == WORDS


@pytest.mark.parametrize("name", ["vocab.bin", "vocab.pkl"])
def test_a_pickle_is_refused_with_the_way_out(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(tmp_path / name, "wb") as file:
        pickle.dump(HELD | {"moses": Hostile()}, file)
    with pytest.raises(UnsafeCheckpoint, match=r"one a line, to .*vocab\.txt"):
        TransfoXLTokenizer.from_pretrained(tmp_path)
    assert capsys.readouterr().out == ""
