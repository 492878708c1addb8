"""Characters and phonemes for CTC models (Graves et al., 2006): Wav2Vec2 and its kin."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken

from zoo_core.errors import MissingDependency, TokenizerError
from zoo_core.tokenization.decoding import check_ids, id_list
from zoo_core.tokenization.fast import PreTrainedTokenizerFast
from zoo_core.tokenization.loading import read_json
from zoo_core.tokenization.python import VocabularyTokenizer

Offsets = list[dict[str, Any]]


@dataclass(frozen=True)
class CTCOutput:
    """Decoded text, and where in the model's frames its characters and words stand."""

    text: Any
    char_offsets: Any = None
    word_offsets: Any = None

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


class CTCTokenizer(VocabularyTokenizer):
    """Repeated tokens merged, blanks (``pad_token``) dropped; subclasses say what a token is."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.json"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    def __init__(
        self, vocab_file: str | Path | None = None, target_lang: str | None = None, **kwargs: Any
    ) -> None:
        if vocab_file is None:
            raise TokenizerError(f"{type(self).__name__} needs vocab.json.")
        self._vocabularies = read_json(Path(vocab_file))
        self.target_lang = target_lang
        super().__init__(self._language_vocab(target_lang), **kwargs)
        self.init_kwargs["target_lang"] = target_lang
        declared = kwargs.get("added_tokens_decoder") or {}
        for token, index in self.encoder.items():
            if len(token) > 1 and index not in declared:
                special = token in self._added_ids and self._added[index].special
                wide = AddedToken(token, lstrip=True, rstrip=True, normalized=False, special=special)
                self._put(index, wide)
        self._adopt_flags()

    def _language_vocab(self, language: str | None) -> dict[str, int]:
        """The vocabulary, or the one of a language where the file holds several."""
        vocab = self._vocabularies
        if not isinstance(vocab, dict) or not vocab:
            raise TokenizerError("vocab.json holds no vocabulary, an object of tokens and ids.")
        if language is not None:
            if not isinstance(vocab.get(language), dict):
                known = ", ".join(key for key, value in vocab.items() if isinstance(value, dict)) or "none"
                raise TokenizerError(f"vocab.json has no language {language!r}; it has {known}.")
            vocab = vocab[language]
        if not all(isinstance(index, int) for index in vocab.values()):
            raise TokenizerError("vocab.json holds several languages: pass target_lang.")
        return dict(vocab)

    def set_target_lang(self, target_lang: str) -> None:
        """Use another language of the vocabulary file."""
        self.encoder = self._language_vocab(target_lang)
        self._names = {index: token for token, index in self.encoder.items()}
        self.target_lang = self.init_kwargs["target_lang"] = target_lang

    @property
    def word_delimiter_token(self) -> str | None:
        return None

    def _join(self, tokens: list[str], spaces: bool) -> str:
        raise NotImplementedError

    def _shown(self, token: str) -> str:
        """A token as offsets name it."""
        return token

    def decode(
        self,
        token_ids: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
        group_tokens: bool = True,
        spaces_between_special_tokens: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The frames' ids as text; with offsets a CTCOutput, offsets counting frames."""
        ids = id_list(token_ids)
        check_ids(ids)
        tokens = self.convert_ids_to_tokens(ids, skip_special_tokens=False)
        if skip_special_tokens:
            dropped = set(self.all_special_tokens) - {self.pad_token, self.word_delimiter_token}
            tokens = [token for token in tokens if token not in dropped]
        spans = self._spans(tokens, group_tokens)
        text = self._join([token for token, _, _ in spans], spaces_between_special_tokens)
        clean = clean_up_tokenization_spaces
        if clean if clean is not None else self.clean_up_tokenization_spaces:
            text = self.clean_up_tokenization(text)
        if not output_char_offsets and not output_word_offsets:
            return text
        chars = [
            {"char": self._shown(token), "start_offset": start, "end_offset": end}
            for token, start, end in spans
        ]
        words = self._word_offsets(spans) if output_word_offsets else None
        return CTCOutput(text, chars if output_char_offsets else None, words)

    def batch_decode(
        self,
        sequences: Any,
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        output_char_offsets: bool = False,
        output_word_offsets: bool = False,
        **kwargs: Any,
    ) -> Any:
        """``decode`` for each row; with offsets one CTCOutput of lists."""
        offsets = {"output_char_offsets": output_char_offsets, "output_word_offsets": output_word_offsets}
        rows = [
            self.decode(row, skip_special_tokens, clean_up_tokenization_spaces, **offsets, **kwargs)
            for row in sequences
        ]
        if not any(offsets.values()):
            return rows
        return CTCOutput(
            [row.text for row in rows],
            [row.char_offsets for row in rows] if output_char_offsets else None,
            [row.word_offsets for row in rows] if output_word_offsets else None,
        )

    def _spans(self, tokens: list[str], group: bool) -> list[tuple[str, int, int]]:
        """Token, first frame and frame after the last, blanks left out."""
        spans = []
        start = 0
        for token, run in groupby(tokens) if group else ((token, (token,)) for token in tokens):
            end = start + len(list(run))
            if token != self.pad_token:
                spans.append((token, start, end))
            start = end
        return spans

    def _word_offsets(self, spans: list[tuple[str, int, int]]) -> Offsets:
        words: Offsets = []
        for is_break, run in groupby(spans, key=lambda span: span[0] == self.word_delimiter_token):
            if is_break:
                continue
            parts = list(run)
            word = "".join(self._shown(token) for token, _, _ in parts)
            words.append({"word": word, "start_offset": parts[0][1], "end_offset": parts[-1][2]})
        return words

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return self._join([token for token, _, _ in self._spans(tokens, True)], False)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        text = json.dumps(self._vocabularies, indent=2, ensure_ascii=False) + "\n"
        return self._write_vocabulary(save_directory, filename_prefix, {"vocab_file": text})


class Wav2Vec2CTCTokenizer(CTCTokenizer):
    """One token per character, ``|`` between words (Baevski et al., 2020).

    do_lower_case: the vocabulary is in capitals and decoded text in lower case.
    """

    settings: ClassVar[Mapping[str, Any]] = {
        "word_delimiter_token": "|",
        "replace_word_delimiter_char": " ",
        "do_lower_case": False,
    }

    replace_word_delimiter_char: str
    do_lower_case: bool

    @property
    def word_delimiter_token(self) -> str | None:
        return self._delimiter

    @word_delimiter_token.setter
    def word_delimiter_token(self, token: str) -> None:
        self._delimiter = token

    @property
    def word_delimiter_token_id(self) -> int | None:
        found: int | None = self.convert_tokens_to_ids(self._delimiter)
        return found

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        return f" {text}" if is_split_into_words else text, kwargs

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        return list((text.upper() if self.do_lower_case else text).replace(" ", self._delimiter))

    def _shown(self, token: str) -> str:
        return self.replace_word_delimiter_char if token == self._delimiter else token

    def _join(self, tokens: list[str], spaces: bool) -> str:
        text = (" " if spaces else "").join(map(self._shown, tokens)).strip()
        return text.lower() if self.do_lower_case else text


class Wav2Vec2PhonemeCTCTokenizer(CTCTokenizer):
    """Phonemes, written apart by ``phone_delimiter_token`` (Xu et al., 2021).

    do_phonemize: turn text into phonemes first, which needs the package phonemizer and espeak.
    """

    settings: ClassVar[Mapping[str, Any]] = {
        "phone_delimiter_token": " ",
        "word_delimiter_token": None,
        "do_phonemize": True,
        "phonemizer_lang": "en-us",
        "phonemizer_backend": "espeak",
    }

    phone_delimiter_token: str
    do_phonemize: bool
    phonemizer_lang: str
    phonemizer_backend: str

    @property
    def word_delimiter_token(self) -> str | None:
        return self._delimiter

    @word_delimiter_token.setter
    def word_delimiter_token(self, token: str | None) -> None:
        self._delimiter = token

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        text = f" {text}" if is_split_into_words else text
        if kwargs.pop("do_phonemize", self.do_phonemize):
            text = self.phonemize(text, kwargs.pop("phonemizer_lang", self.phonemizer_lang))
        return text, {}

    def phonemize(self, text: str, phonemizer_lang: str | None = None) -> str:
        """``text`` as phonemes. Raises MissingDependency without the package phonemizer."""
        try:
            from phonemizer.backend import BACKENDS
            from phonemizer.separator import Separator
        except ImportError as error:
            raise MissingDependency("Turning text into phonemes needs: pip install phonemizer") from error
        backend = BACKENDS[self.phonemizer_backend](
            phonemizer_lang or self.phonemizer_lang, language_switch="remove-flags"
        )
        word = f"{self._delimiter} " if self._delimiter is not None else ""
        separator = Separator(phone=self.phone_delimiter_token, word=word, syllable="")
        return str(backend.phonemize([text], separator=separator)[0]).strip()

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        tokens = text.strip().split(self.phone_delimiter_token)
        return [token for token in tokens if token.strip()]

    def _join(self, tokens: list[str], spaces: bool) -> str:
        return " ".join(token for token in tokens if token != self._delimiter).strip()


class ParakeetTokenizer(PreTrainedTokenizerFast):
    """Pieces of a CTC model: decoding merges repeated tokens and drops blanks (``pad_token``)."""

    def _decode(
        self, ids: list[int], *, skip_special_tokens: bool, group_tokens: bool = True, **kwargs: Any
    ) -> str:
        kept = [index for index, _ in groupby(ids)] if group_tokens else ids
        kept = [index for index in kept if index != self.pad_token_id]
        return super()._decode(kept, skip_special_tokens=skip_special_tokens, **kwargs)
