"""ERNIE-M's tokenizer, against what the reference gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoo_core.tokenization.sentencepiece_model import read_sentencepiece
from zoo_text.tokenizers.ernie_m import ErnieMTokenizer, cut

VOCABULARIES = Path(__file__).parents[1] / "parity" / "tokenizers" / "vocabularies"


@pytest.mark.parametrize(
    ("pieces", "tokens"),
    [
        ("▁12ab", "12 ab"),
        ("a,,b", "a , , b"),
        ("a中文b", "a 中 文 b"),
        ("a½b", "a½b"),
        ("a²", "a ²"),
        ("▁ ▁a", "▁a"),
        ("a ▁ ▁a", "a ▁a"),
        ("a ▁ b", "a ▁ b"),
        ("▁1▁2", "1▁ 2"),
        ("▁,▁", ", ▁"),
        ("a《b》", "a 《 b 》"),
        ("a-b", "a-b"),
        ("\uff11\uff12ab", "\uff11\uff12 ab"),
    ],
)
def test_pieces_are_cut_at_signs_and_digits(pieces, tokens) -> None:
    assert list(cut(pieces.split(" "))) == tokens.split(" ")


def test_ids_are_lines_of_the_vocabulary(tmp_path) -> None:
    (tmp_path / "sentencepiece.bpe.model").write_bytes((VOCABULARIES / "unigram.model").read_bytes())
    plain = ErnieMTokenizer.from_pretrained(tmp_path)
    pieces = [
        piece for piece, _ in read_sentencepiece(VOCABULARIES / "unigram.model").pieces if piece.isprintable()
    ]
    assert plain.convert_tokens_to_ids(pieces[5]) == 5
    lines = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", *reversed(pieces[3:])]
    (tmp_path / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = ErnieMTokenizer.from_pretrained(tmp_path)
    assert (tokenizer.vocab_size, len(tokenizer)) == (len(lines), len(lines))
    assert tokenizer.convert_tokens_to_ids(pieces[5]) == len(lines) - 3
    text = tokenizer.tokenize("a b")
    ids = [lines.index(token) if token in lines else 3 for token in text]
    assert dict(tokenizer("a b", "a b")) == {"input_ids": [0, *ids, 2, 2, *ids, 2]}
    assert tokenizer.create_token_type_ids_from_sequences([1, 2], [3]) == [0, 0, 0, 1, 1, 1, 1]
    assert tokenizer.decode([0, *ids, 2], skip_special_tokens=True) == "a b"
    tokenizer.save_pretrained(tmp_path / "saved")
    assert ErnieMTokenizer.from_pretrained(tmp_path / "saved")("a b")["input_ids"] == [0, *ids, 2]
