"""Japanese BERT: words first, by a splitter of the reader's choice, then WordPiece or characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from zoo_core.errors import MissingDependency, TokenizerError
from zoo_core.tokenization.pieces import piece_tokenizer
from zoo_core.tokenization.pipelines import read_word_list
from zoo_core.tokenization.python import VocabularyTokenizer
from zoo_core.tokenization.sentencepiece_model import read_sentencepiece
from zoo_core.tokenization.templates import Template


class BertJapaneseTokenizer(VocabularyTokenizer):
    """BERT for Japanese (Tohoku University).

    word_tokenizer_type: "basic" (BERT's own split) or "mecab" (needs fugashi and a dictionary).
    subword_tokenizer_type: "wordpiece", "character" or "sentencepiece".
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.txt", "spm_file": "spiece.model"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "do_lower_case": False,
        "do_word_tokenize": True,
        "do_subword_tokenize": True,
        "word_tokenizer_type": "basic",
        "subword_tokenizer_type": "wordpiece",
        "never_split": None,
        "mecab_kwargs": None,
        "sudachi_kwargs": None,
        "jumanpp_kwargs": None,
    }
    template: ClassVar[Template] = ("cls $A sep", "cls $A sep $B:1 sep:1")

    do_lower_case: bool
    do_word_tokenize: bool
    do_subword_tokenize: bool
    word_tokenizer_type: str
    subword_tokenizer_type: str
    mecab_kwargs: Mapping[str, Any] | None

    def __init__(
        self, vocab_file: str | Path | None = None, spm_file: str | Path | None = None, **kwargs: Any
    ) -> None:
        self._files = {"vocab_file": vocab_file, "spm_file": spm_file}
        self._spm: Tokenizer | None = None
        if kwargs.get("subword_tokenizer_type") == "sentencepiece":
            if spm_file is None:
                raise TokenizerError("subword_tokenizer_type='sentencepiece' needs spiece.model.")
            model = read_sentencepiece(spm_file)
            self._spm = piece_tokenizer(model)
            vocab = model.ids
        elif vocab_file is None:
            raise TokenizerError("BertJapaneseTokenizer needs vocab.txt.")
        else:
            vocab = read_word_list(Path(vocab_file))
        super().__init__(vocab, **kwargs)
        self._wordpiece = models.WordPiece(self.encoder, unk_token=str(self.unk_token))
        self._split_words = self._word_splitter()

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_split_words"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._split_words = self._word_splitter()

    def _word_splitter(self) -> Callable[[str], list[str]]:
        if not self.do_word_tokenize:
            return lambda text: [text]
        if self.word_tokenizer_type == "basic":
            return self._basic_words
        if self.word_tokenizer_type == "mecab":
            return self._mecab()
        raise TokenizerError(
            f"word_tokenizer_type={self.word_tokenizer_type!r} is not served; use 'basic' or 'mecab'."
        )

    def _basic_words(self, text: str) -> list[str]:
        normalizer = normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=self.do_lower_case
        )
        words = pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normalizer.normalize_str(text))
        return [word for word, _ in words]

    def _mecab(self) -> Callable[[str], list[str]]:
        try:
            import fugashi
        except ImportError as error:
            raise MissingDependency(
                "word_tokenizer_type='mecab' needs fugashi and a dictionary: pip install fugashi ipadic"
            ) from error
        options = dict(self.mecab_kwargs or {})
        arguments = options.get("mecab_option") or ""
        name = options.get("mecab_dic", "ipadic")
        if name in ("ipadic", "unidic_lite", "unidic"):
            import importlib

            try:
                dictionary = importlib.import_module(name)
            except ImportError as error:
                raise MissingDependency(
                    f"mecab_dic={name!r} needs its package: pip install {name}"
                ) from error
            arguments = f'-d "{dictionary.DICDIR}" {arguments}'
        tagger = fugashi.GenericTagger(arguments)
        normalise = options.get("normalize_text", True)

        def split(text: str) -> list[str]:
            text = unicodedata.normalize("NFKC", text) if normalise else text
            words = [word.surface for word in tagger(text)]
            return [word.lower() for word in words] if self.do_lower_case else words

        return split

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        words = self._split_words(text)
        if not self.do_subword_tokenize:
            return words
        if self._spm is not None:
            return [
                piece for word in words for piece in self._spm.encode(word, add_special_tokens=False).tokens
            ]
        if self.subword_tokenizer_type == "character":
            unknown = str(self.unk_token)
            return [char if char in self.encoder else unknown for word in words for char in word]
        return [token.value for word in words for token in self._wordpiece.tokenize(word)]

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        if self._spm is not None:
            return "".join(tokens).replace("\u2581", " ").strip()
        return " ".join(tokens).replace(" ##", "").strip()

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        from zoo_core.tokenization.saving import copy_files

        prefix = f"{filename_prefix}-" if filename_prefix else ""
        named = {
            prefix + self.vocab_files_names[name]: Path(path) for name, path in self._files.items() if path
        }
        return copy_files(named, Path(save_directory))
