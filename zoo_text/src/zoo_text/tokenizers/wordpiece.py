"""WordPiece: BERT's tokenizer and those that share its vocabulary file (Devlin et al., 2018)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import Tokenizer, normalizers

from zoo_core.tokenization import PreTrainedTokenizerFast
from zoo_core.tokenization.pipelines import read_word_list, wordpiece

_NORMALIZER_FIELDS = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}


class BertTokenizer(PreTrainedTokenizerFast):
    """WordPiece from ``vocab.txt``: one token per line, word-internal pieces with ``##``.

    do_lower_case: lower-case the text. strip_accents: None follows ``do_lower_case``.
    tokenize_chinese_chars: set Chinese characters apart.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "vocab.txt",
        "tokenizer_file": "tokenizer.json",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "do_lower_case": True,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
    }
    template = ("cls $A sep", "cls $A sep $B:1 sep:1")

    do_lower_case: bool
    strip_accents: bool | None
    tokenize_chinese_chars: bool

    def convert(self, files: Mapping[str, Path]) -> Tokenizer:
        return wordpiece(
            read_word_list(files["vocab_file"]),
            unk_token=self.unk_token or "[UNK]",
            lowercase=self.do_lower_case,
            strip_accents=self.strip_accents,
            chinese_chars=self.tokenize_chinese_chars,
        )

    def _apply_settings(self, explicit: Mapping[str, Any]) -> None:
        """The normaliser of a tokenizer.json, where it is BERT's and an explicit setting differs."""
        tokenizer = self._backend.tokenizer
        if not isinstance(tokenizer.normalizer, normalizers.BertNormalizer):
            return
        state = json.loads(tokenizer.normalizer.__getstate__())
        wanted = {field: explicit[name] for name, field in _NORMALIZER_FIELDS.items() if name in explicit}
        if any(state[field] != value for field, value in wanted.items()):
            state |= wanted
            state.pop("type", None)
            tokenizer.normalizer = normalizers.BertNormalizer(**state)
            self._backend.changed()
