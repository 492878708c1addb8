"""Translation models over a vocabulary of their own: M2M-100, Marian."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.pieces import PieceTokenizer, join_around, piece_tokenizer
from zoo_core.tokenization.pipelines import read_vocab
from zoo_core.tokenization.sentencepiece_model import read_sentencepiece
from zoo_core.tokenization.templates import Template
from zoo_text.tokenizers.language_codes import M2M100


class M2M100Tokenizer(PieceTokenizer):
    """M2M-100: pieces looked up in ``vocab.json``, the language in front (Fan et al., 2021).

    The tokens of the languages follow the vocabulary; ``len(tokenizer)`` leaves them out.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "vocab.json",
        "spm_file": "sentencepiece.bpe.model",
    }
    pieces_file = "spm_file"
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "src_lang": None,
        "tgt_lang": None,
        "language_codes": "m2m100",
        "num_madeup_words": 8,
    }

    src_lang: str | None
    tgt_lang: str | None

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        codes = kwargs.get("language_codes", "m2m100")
        if codes not in M2M100:
            raise TokenizerError(f"language_codes is one of {', '.join(M2M100)}, not {codes!r}.")
        self.languages = M2M100[codes]
        super().__init__(*vocab_files, **kwargs)
        self.src_lang = self.src_lang or "en"

    def _load(self, files: Mapping[str, Path]) -> None:
        super()._load(files)
        self.encoder = read_vocab(files["vocab_file"])
        self._names = {index: token for token, index in self.encoder.items()}
        first = len(self.encoder)
        self.lang_token_to_id = {f"__{code}__": first + i for i, code in enumerate(self.languages)}
        self._names |= {index: token for token, index in self.lang_token_to_id.items()}

    @property
    def lang_code_to_id(self) -> dict[str, int]:
        """Language code to the id of its token."""
        return {token.strip("_"): index for token, index in self.lang_token_to_id.items()}

    def get_lang_token(self, lang: str) -> str:
        """The token of a language. Raises TokenizerError for a language that there is none for."""
        token = f"__{lang}__"
        if token not in self.lang_token_to_id:
            raise TokenizerError(f"There is no language {lang!r}; the codes are {', '.join(self.languages)}.")
        return token

    def get_lang_id(self, lang: str) -> int:
        """The id of a language's token, as ``forced_bos_token_id`` takes it."""
        return self.lang_token_to_id[self.get_lang_token(lang)]

    @property
    def vocab_size(self) -> int:
        return len(self.encoder)

    def _has_id(self, index: int) -> bool:
        return index in self._names or super()._has_id(index)

    def get_vocab(self) -> dict[str, int]:
        return {**self.encoder, **self.lang_token_to_id, **self._added_ids}

    def _convert_token_to_id(self, token: str) -> int | None:
        language = self.lang_token_to_id.get(token)
        return (
            self.encoder.get(token, self.encoder.get(str(self.unk_token))) if language is None else language
        )

    def _convert_id_to_token(self, index: int) -> str | None:
        return self._names.get(index, self.unk_token)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        prefix = [] if self.src_lang is None else [self.get_lang_id(self.src_lang)]
        return [*prefix, *token_ids_0, *(token_ids_1 or []), self.convert_tokens_to_ids(self.eos_token)]

    def get_special_tokens_mask(
        self,
        token_ids_0: list[int],
        token_ids_1: list[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        if already_has_special_tokens:
            return super().get_special_tokens_mask(token_ids_0, token_ids_1, True)
        prefix = [] if self.src_lang is None else [1]
        return [*prefix, *[0] * (len(token_ids_0) + len(token_ids_1 or [])), 1]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))

    def _target_form(self) -> M2M100Tokenizer:
        form = copy.copy(self)
        form.src_lang = self.tgt_lang
        return form


class MarianTokenizer(PieceTokenizer):
    """Marian: one sentencepiece model per language over a shared vocabulary (Junczys-Dowmunt et al., 2018).

    A text may begin with its target language, as in ``>>fra<< Hello``. separate_vocabs: two vocabularies.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "source_spm": "source.spm",
        "target_spm": "target.spm",
        "vocab": "vocab.json",
        "target_vocab_file": "target_vocab.json",
    }
    pieces_file = "source_spm"
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "source_lang": None,
        "target_lang": None,
        "separate_vocabs": False,
    }
    template: ClassVar[Template] = ("$A eos", "$A $B eos")
    model_max_length = 512
    language_code: ClassVar[re.Pattern[str]] = re.compile(">>.+<<")

    separate_vocabs: bool

    def _load(self, files: Mapping[str, Path]) -> None:
        lacking = [name for key, name in self.vocab_files_names.items() if key not in files]
        if set(lacking) - {"target_vocab.json"}:
            raise TokenizerError(f"{type(self).__name__} needs {', '.join(lacking)}.")
        super()._load(files)
        self._target_engine = piece_tokenizer(read_sentencepiece(files["target_spm"]), self.scheme)
        self._set_encoder(read_vocab(files["vocab"]))
        target = files.get("target_vocab_file")
        self.target_encoder = self.encoder if target is None else read_vocab(target)
        self._target_names = {index: token for token, index in self.target_encoder.items()}
        self._reads_target = False

    def _set_encoder(self, encoder: dict[str, int]) -> None:
        self.encoder = encoder
        self._names = {index: token for token, index in encoder.items()}

    @property
    def vocab_size(self) -> int:
        return len(self.encoder)

    @property
    def supported_language_codes(self) -> list[str]:
        """The languages that a text may begin with."""
        return [token for token in self.encoder if token.startswith(">>") and token.endswith("<<")]

    def get_vocab(self) -> dict[str, int]:
        return {**self.encoder, **self._added_ids}

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        match = self.language_code.match(text)
        code = [match.group(0)] if match else []
        rest = self.language_code.sub("", text) if match else text
        engine = self._target_engine if self._reads_target else self._engine
        return [*code, *engine.encode(rest, add_special_tokens=False).tokens]

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.encoder.get(token, self.encoder.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str | None:
        return self._names.get(index, self.unk_token)

    def _target_form(self) -> MarianTokenizer:
        form = copy.copy(self)
        form._reads_target = True
        if self.separate_vocabs:
            form._set_encoder(self.target_encoder)
        return form

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        source = kwargs.pop("use_source_tokenizer", False)
        form = self if source or not self.separate_vocabs else self._target_form()
        return form._decode_spaced(ids, skip_special_tokens=skip_special_tokens, **kwargs)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        special = set(self.all_special_tokens)
        return join_around(tokens, special, blank_after=True).replace("\u2581", " ").strip()
