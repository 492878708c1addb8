"""ERNIE-M's tokenizer (https://arxiv.org/abs/2012.15674): sentencepiece, cut further at signs and digits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.tokenization.pieces import PieceTokenizer
from zoo_core.tokenization.pipelines import SPACE
from zoo_core.tokenization.templates import Template

#: punctuation that is a token of its own, next to Chinese characters
_SIGNS = frozenset("!,.:;?~\u3002\u300a\u300b\u3010\u3011\uff01\uff0c\uff1a\uff1b\uff1f")


class ErnieMTokenizer(PieceTokenizer):
    """Pieces looked up in ``vocab.txt``, where a token's id is its line; without it, the model's own ids.

    do_lower_case: texts are put in lower case first.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "sentencepiece_model_ckpt": "sentencepiece.bpe.model",
        "vocab_file": "vocab.txt",
    }
    pieces_file = "sentencepiece_model_ckpt"
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "do_lower_case": False,
        "encoding": "utf8",
        "sp_model_kwargs": {},
    }
    model_input_names = ("input_ids",)
    template: ClassVar[Template] = ("cls $A sep", "cls $A sep:1 sep:1 $B:1 sep:1")

    do_lower_case: bool

    def _load(self, files: Mapping[str, Path]) -> None:
        super()._load(files)
        self.encoder = dict(self.model.ids)
        if "vocab_file" in files:
            lines = files["vocab_file"].read_text(encoding="utf-8").rstrip("\n").split("\n")
            self.encoder = {line: index for index, line in enumerate(lines)}
        self._names = {index: token for token, index in self.encoder.items()}

    @property
    def vocab_size(self) -> int:
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        return {**self.encoder, **self._added_ids}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        pieces = super()._tokenize(text.lower() if self.do_lower_case else text)
        return list(cut(pieces))

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.encoder.get(token, self.encoder.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str | None:
        return self._names.get(index, self.unk_token)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens).replace(SPACE, " ").strip()


def cut(pieces: list[str]) -> Iterator[str]:
    """Pieces cut around Chinese characters and signs, and where digits begin or end.

    A blank alone stays only between two pieces of which the second does not carry one.
    """
    for index, piece in enumerate(pieces):
        if piece != SPACE:
            yield from _cut(piece)
        elif 0 < index < len(pieces) - 1 and not pieces[index + 1].startswith(SPACE):
            yield piece


def _cut(piece: str) -> Iterator[str]:
    start = 0
    for index, char in enumerate(piece):
        alone = char in _SIGNS or "\u4e00" <= char <= "\u9fff"
        turns = index > 0 and char != SPACE and char.isdigit() != piece[index - 1].isdigit()
        if not alone and not turns:
            continue
        if piece[start:index] not in ("", SPACE):
            yield piece[start:index]
        if alone:
            yield char
        start = index + 1 if alone else index
    if start < len(piece):
        yield piece[start:]
