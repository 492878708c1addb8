"""RoCBert: BERT's words, each with its shape and its pronunciation (Su et al., 2022)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import Encoding, Tokenizer, decoders

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import BatchEncoding
from zoo_core.tokenization.loading import read_json
from zoo_core.tokenization.options import CallOptions
from zoo_text.tokenizers.wordpiece import BertTokenizer

#: name of the column that a call returns, and of the file (as an argument) that holds its table
_LOOKS = {"input_shape_ids": "word_shape_file", "input_pronunciation_ids": "word_pronunciation_file"}


class RoCBertTokenizer(BertTokenizer):
    """Calls also return ``input_shape_ids`` and ``input_pronunciation_ids``, from two tables of words.

    The special tokens around the texts look like the unknown token.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "vocab.txt",
        "word_shape_file": "word_shape.json",
        "word_pronunciation_file": "word_pronunciation.json",
        "tokenizer_file": "tokenizer.json",
    }
    tidy = False

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        super().__init__(*vocab_files, **kwargs)
        self._looks = {column: self._read_table(file) for column, file in _LOOKS.items()}

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        tokenizer = super().convert(files)
        tokenizer.decoder = decoders.WordPiece(cleanup=False)
        return tokenizer

    def _read_table(self, name: str) -> dict[str, int]:
        path: Path | None = self._files.get(name)
        if path is None:
            raise TokenizerError(f"{type(self).__name__} needs {self.vocab_files_names[name]}.")
        table = read_json(path)
        if not isinstance(table, dict) or not isinstance(table.get(self.unk_token), int):
            raise TokenizerError(f"{path} must map words, {self.unk_token} among them, to whole numbers.")
        return table

    def convert_tokens_to_shape_ids(self, tokens: Any) -> Any:
        """The shape of a token, or of several."""
        return self._look_up("input_shape_ids", tokens)

    def convert_tokens_to_pronunciation_ids(self, tokens: Any) -> Any:
        """The pronunciation of a token, or of several."""
        return self._look_up("input_pronunciation_ids", tokens)

    def _look_up(self, column: str, tokens: str | Sequence[str]) -> Any:
        table = self._looks[column]
        if isinstance(tokens, str):
            return table.get(tokens, table[str(self.unk_token)])
        return [self._look_up(column, token) for token in tokens]

    def _encode_batch(
        self, inputs: list[Any], options: CallOptions, *, single: bool, variant: str | None = None
    ) -> BatchEncoding:
        encoded = super()._encode_batch(inputs, options, single=single, variant=variant)
        for column in self._looks:
            encoded[column] = [self._row(column, row) for row in encoded.encodings or []]
        return encoded

    def _row(self, column: str, row: Encoding) -> list[int]:
        unknown = self._look_up(column, str(self.unk_token))
        return [
            (unknown if shown else int(self.pad_token_id or 0))
            if sequence is None
            else self._look_up(column, token)
            for token, sequence, shown in zip(row.tokens, row.sequence_ids, row.attention_mask, strict=True)
        ]
