"""Tokenizers of few classes each: ProphetNet and XLM-ProphetNet, MGP-STR, ESM, PhoBERT, BlenderbotSmall."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.bpe import MarkedBpeTokenizer
from zoo_core.tokenization.pieces import PieceTokenizer
from zoo_core.tokenization.pipelines import read_vocab, read_word_list
from zoo_core.tokenization.python import VocabularyTokenizer
from zoo_core.tokenization.templates import Template
from zoo_text.tokenizers.wordpiece import BertTokenizer


class ProphetNetTokenizer(BertTokenizer):
    """ProphetNet: BERT's words, ``[SEP]`` at the end alone (Qi et al., 2020)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "prophetnet.tokenizer",
        "tokenizer_file": "tokenizer.json",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "mask_token": "[MASK]",
    }
    settings: ClassVar[Mapping[str, Any]] = {"x_sep_token": "[X_SEP]"}
    model_input_names = ("input_ids", "attention_mask")
    template = ("$A sep", "$A sep $B:1 sep:1")

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return " ".join(tokens).replace(" ##", "").strip()

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        return self._decode_spaced(ids, skip_special_tokens=skip_special_tokens, **kwargs)


class XLMProphetNetTokenizer(PieceTokenizer):
    """XLM-ProphetNet: five special tokens, ten unused places, then the pieces (Qi et al., 2020)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "prophetnet.tokenizer"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "[SEP]",
        "eos_token": "[SEP]",
        "sep_token": "[SEP]",
        "unk_token": "[UNK]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    template: ClassVar[Template] = ("$A sep", "$A sep $B sep")
    first: ClassVar[tuple[str, ...]] = (
        *("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"),
        *(f"[unused{index}]" for index in range(10)),
    )
    offset: ClassVar[int] = 12

    @property
    def vocab_size(self) -> int:
        return len(self.model) + self.offset

    def _convert_token_to_id(self, token: str) -> int | None:
        if token in self.first:
            return self.first.index(token)
        index = self.model.ids.get(token, self.model.unk_id)
        return index + self.offset if index else self.first.index("[UNK]")

    def _convert_id_to_token(self, index: int) -> str | None:
        if index < len(self.first):
            return self.first[index]
        return super()._convert_id_to_token(index - self.offset)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens).replace("\u2581", " ").strip()


class MgpstrTokenizer(VocabularyTokenizer):
    """MGP-STR: one token per character (Wang et al., 2022)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.json"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "[GO]",
        "bos_token": "[GO]",
        "eos_token": "[s]",
        "pad_token": "[GO]",
    }

    def __init__(self, vocab_file: str | Path | None = None, **kwargs: Any) -> None:
        if vocab_file is None:
            raise TokenizerError("MgpstrTokenizer needs vocab.json.")
        super().__init__(read_vocab(Path(vocab_file)), **kwargs)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return list(text)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        text = json.dumps(self.encoder, indent=2, ensure_ascii=False) + "\n"
        return self._write_vocabulary(save_directory, filename_prefix, {"vocab_file": text})


class EsmTokenizer(VocabularyTokenizer):
    """ESM: amino acids, every token of the vocabulary matched whole (Rives et al., 2021)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.txt"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "cls_token": "<cls>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        "eos_token": "<eos>",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    template: ClassVar[Template] = ("cls $A eos", "cls $A eos $B eos")

    def __init__(self, vocab_file: str | Path | None = None, **kwargs: Any) -> None:
        if vocab_file is None:
            raise TokenizerError("EsmTokenizer needs vocab.txt.")
        super().__init__(
            {token.strip(): i for token, i in read_word_list(Path(vocab_file)).items()}, **kwargs
        )
        self._add_tokens([AddedToken(token) for token in self.encoder], special=False)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return text.split()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        text = "\n".join(self.encoder)
        return self._write_vocabulary(save_directory, filename_prefix, {"vocab_file": text})


class PhobertTokenizer(MarkedBpeTokenizer):
    """PhoBERT: Vietnamese words split beforehand, BPE with ``@@`` (Nguyen and Nguyen, 2020)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.txt", "merges_file": "bpe.codes"}
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

    @classmethod
    def _read_vocab(cls, path: Path) -> dict[str, int]:
        """A fairseq dictionary: a token and its count per line, after four special tokens."""
        vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
        for line in read_word_list(path):
            token, blank, _ = line.strip().rpartition(" ")
            if not blank:
                raise TokenizerError(f"{path}: a line holds a token and its count, not {line!r:.60}.")
            vocab.setdefault(token, len(vocab))
        return vocab

    @staticmethod
    def _read_merges(path: Path) -> list[tuple[str, str]]:
        lines = read_word_list(path)
        return [(parts[0], parts[1]) for parts in (line.split() for line in lines) if len(parts) >= 2]

    def _words(self, text: str) -> list[str]:
        return re.findall(r"\S+\n?", text)


class BlenderbotSmallTokenizer(MarkedBpeTokenizer):
    """Blenderbot's small models: lower case, punctuation apart, BPE with ``@@`` (Roller et al., 2021)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "__start__",
        "eos_token": "__end__",
        "unk_token": "__unk__",
        "pad_token": "__null__",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    def _words(self, text: str) -> list[str]:
        text = re.sub(r"([.,!?()])", r" \1", text)
        text = re.sub("(')", r" \1 ", text)
        text = re.sub(r"\s{2,}", " ", text).replace("\n", " __newln__")
        return [word.lower() for word in text.split(" ") if word]
