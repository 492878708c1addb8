"""BARTpho: XLM-RoBERTa's pieces, of which those that Vietnamese needs have ids (Tran et al., 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.pieces import PieceTokenizer
from zoo_core.tokenization.pipelines import SPACE, read_word_list
from zoo_core.tokenization.templates import Template


class BartphoTokenizer(PieceTokenizer):
    """BARTpho: a sentencepiece model, and a list of the pieces that are kept."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "sentencepiece.bpe.model",
        "monolingual_vocab_file": "dict.txt",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "cls_token": "<s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
    }
    template: ClassVar[Template] = ("cls $A sep", "cls $A sep sep $B sep")

    def _load(self, files: Mapping[str, Path]) -> None:
        super()._load(files)
        if "monolingual_vocab_file" not in files:
            raise TokenizerError("BartphoTokenizer needs dict.txt, the pieces that have ids.")
        kept = [line.split()[0] for line in read_word_list(files["monolingual_vocab_file"]) if line.split()]
        names = dict.fromkeys(("<s>", "<pad>", "</s>", "<unk>", *kept, "<mask>"))
        self._kept = {piece: index for index, piece in enumerate(names)}
        self._names = list(names)

    @property
    def vocab_size(self) -> int:
        return len(self._kept)

    def _convert_token_to_id(self, token: str) -> int | None:
        return self._kept.get(token, self._kept["<unk>"])

    def _convert_id_to_token(self, index: int) -> str | None:
        return self._names[index] if 0 <= index < len(self._names) else None

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens).replace(SPACE, " ").strip()
