"""Tokenizers of speech translation and synthesis: SeamlessM4T, SpeechT5, Speech2Text, VITS, Dia, CLVP."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from tokenizers import AddedToken

from zoo_audio.tokenizers.english import normalized_english
from zoo_audio.tokenizers.numbers import spell_numbers
from zoo_core.errors import MissingDependency, TokenizerError
from zoo_core.tokenization import BatchEncoding
from zoo_core.tokenization.bpe import MarkedBpeTokenizer
from zoo_core.tokenization.byte_tokens import ByteTokenizer
from zoo_core.tokenization.families import BosEosTokenizer, ByteLevelTokenizer, FairseqTokenizer
from zoo_core.tokenization.languages import LanguageTokenizer
from zoo_core.tokenization.pieces import PieceTokenizer, join_around, join_pieces
from zoo_core.tokenization.pipelines import read_vocab
from zoo_core.tokenization.python import VocabularyTokenizer
from zoo_core.tokenization.templates import Template


class SeamlessM4TTokenizer(LanguageTokenizer, FairseqTokenizer):
    """SeamlessM4T: the language in front, in targets after ``</s>`` (Barrault et al., 2023).

    Calls pad to an even length unless told otherwise, and take ``src_lang`` and ``tgt_lang``.
    """

    special_tokens: ClassVar[Mapping[str, Any]] = {
        role: token for role, token in FairseqTokenizer.special_tokens.items() if role != "mask_token"
    }
    settings: ClassVar[Mapping[str, Any]] = {"src_lang": "eng", "tgt_lang": "fra", "add_prefix_space": True}
    first_pieces = ("<pad>", "<unk>", "<s>", "</s>")
    unk_id = 1
    scheme = "first"
    source_form = ("{lang}", "eos")
    target_form = ("eos {lang}", "eos")

    def _extra_pieces(self) -> Sequence[str]:
        return ()

    def _language_token(self, code: str) -> str:
        token = code if "__" in code else f"__{code}__"
        known = self._backend.tokenizer.token_to_id(token) is not None
        return token if known else str(self.unk_token)

    def _apply_settings(self, explicit: Mapping[str, Any]) -> None:
        super()._apply_settings(explicit)
        self._set_template()

    def __call__(
        self, *args: Any, src_lang: str | None = None, tgt_lang: str | None = None, **kwargs: Any
    ) -> Any:
        if src_lang is not None:
            self.src_lang = src_lang
        if tgt_lang is not None:
            self.tgt_lang = tgt_lang
        if "padding" not in kwargs and len(args) < 6:
            kwargs["padding"] = True
        kwargs.setdefault("pad_to_multiple_of", 2)
        return super().__call__(*args, **kwargs)


class SpeechT5Tokenizer(PieceTokenizer):
    """SpeechT5: characters, by a sentencepiece model (Ao et al., 2022).

    normalize: English numbers in words first; also a keyword of each call.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "spm_char.model"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"normalize": False}
    template: ClassVar[Template] = ("$A eos", "$A $B eos")
    blank_before_special = True

    normalize: bool

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, normalize: bool | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        text = f" {text}" if is_split_into_words else text
        if self.normalize if normalize is None else normalize:
            text = spell_numbers(text)
        return text, kwargs


class Speech2TextTokenizer(PieceTokenizer):
    """Speech2Text: pieces looked up in ``vocab.json``, a language in front where there are several."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": "vocab.json",
        "spm_file": "sentencepiece.bpe.model",
    }
    pieces_file = "spm_file"
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "do_upper_case": False,
        "do_lower_case": False,
        "tgt_lang": None,
        "lang_codes": None,
    }

    do_upper_case: bool
    tgt_lang: str | None
    lang_codes: str | None

    def _load(self, files: Mapping[str, Path]) -> None:
        if "vocab_file" not in files:
            raise TokenizerError("Speech2TextTokenizer needs vocab.json.")
        super()._load(files)
        self.encoder = read_vocab(files["vocab_file"])
        self._names = {index: token for token, index in self.encoder.items()}

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        super().__init__(*vocab_files, **kwargs)
        self.languages = _SPEECH2TEXT_LANGUAGES.get(self.lang_codes or "", "").split()
        if self.lang_codes is not None:
            self._additional += [AddedToken(f"<lang:{code}>", special=True) for code in self.languages]
            self.tgt_lang = self.tgt_lang or self.languages[0]

    @property
    def vocab_size(self) -> int:
        return len(self.encoder)

    def get_vocab(self) -> dict[str, int]:
        return {**self.encoder, **self._added_ids}

    def _convert_token_to_id(self, token: str) -> int | None:
        return self.encoder.get(token, self.encoder.get(str(self.unk_token)))

    def _convert_id_to_token(self, index: int) -> str | None:
        return self._names.get(index, self.unk_token)

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        prefix = []
        if self.tgt_lang is not None and self.lang_codes is not None:
            prefix.append(self.convert_tokens_to_ids(f"<lang:{self.tgt_lang}>"))
        return [*prefix, *token_ids_0, *(token_ids_1 or []), self.convert_tokens_to_ids(self.eos_token)]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        special = set(self.all_special_tokens)
        return join_around(tokens, special, blank_after=True, join=self._written).strip()

    def _written(self, pieces: list[str]) -> str:
        text = join_pieces(pieces)
        return text.upper() if self.do_upper_case else text


_SPEECH2TEXT_LANGUAGES = {"mustc": "pt fr ru nl ro it es de"}


class Speech2Text2Tokenizer(MarkedBpeTokenizer):
    """Speech2Text 2: BPE whose unfinished pieces end in ``@@``; without merges it decodes only."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.json", "merges_file": "merges.txt"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<s>",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"do_lower_case": False}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    do_lower_case: bool

    def _words(self, text: str) -> list[str]:
        return (text.lower() if self.do_lower_case else text).split()


class DiaTokenizer(ByteTokenizer):
    """Dia: bytes; ``[S1]`` and ``[S2]``, where added, name the speakers."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "pad_token": AddedToken("<pad>", normalized=True, special=True),
        "unk_token": AddedToken("<pad>", normalized=True, special=True),
    }
    settings: ClassVar[Mapping[str, Any]] = {"max_length": 1024, "offset": 0}

    def __init__(self, **kwargs: Any) -> None:
        first = {0: "<pad>", 1: "[S1]", 2: "[S2]"}
        kwargs["added_tokens_decoder"] = kwargs.get("added_tokens_decoder") or first
        super().__init__(**kwargs)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return "".join(tokens)


class ClvpTokenizer(BosEosTokenizer, ByteLevelTokenizer):
    """CLVP: GPT-2's over English as it is read, with ``[SPACE]`` for blanks where the vocabulary has it."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "[UNK]",
        "bos_token": "<|endoftext|>",
        "eos_token": "[STOP]",
        "pad_token": "[STOP]",
    }
    settings: ClassVar[Mapping[str, Any]] = {"add_bos_token": False}
    blank: ClassVar[str] = "[SPACE]"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_blank = self.convert_tokens_to_ids(self.blank) not in (None, self.unk_token_id)
        if self.has_blank:
            self.add_tokens([self.blank])

    def _encode_batch(self, inputs: list[Any], *args: Any, **kwargs: Any) -> BatchEncoding:
        return super()._encode_batch([self.read(one) for one in inputs], *args, **kwargs)

    def read(self, text: Any) -> Any:
        """A text, or each of several, as it is read; special tokens stay."""
        if not isinstance(text, str):
            return type(text)(self.read(part) for part in text)
        special = "|".join(map(re.escape, self.all_special_tokens))
        parts = re.split(f"({special})", text)  # every other one is special
        parts[::2] = [normalized_english(part) for part in parts[::2]]
        if self.has_blank:
            parts[::2] = [part.replace(" ", self.blank) for part in parts[::2]]
        return "".join(parts)


@lru_cache(maxsize=1)
def _romanizer() -> Any:
    import uroman

    return uroman.Uroman()


def romanized(text: str) -> str:
    """``text`` in Latin letters, by uroman (https://aclanthology.org/P18-4003); without it, as it is."""
    try:
        return str(_romanizer().romanize_string(text))
    except ImportError:
        warnings.warn(
            f"This VITS checkpoint reads Latin letters only, and {text[:40]!r} has others, which will be "
            "left out: romanise the text first, or pip install 'zoo-audio[romanise]'",
            stacklevel=2,
        )
        return text


class VitsTokenizer(VocabularyTokenizer):
    """VITS: characters or phonemes, a blank token between them (Kim et al., 2021).

    normalize: lower case and drop what the vocabulary lacks. phonemize: needs the package phonemizer.
    add_blank: the vocabulary's first token between all others. is_uroman: other scripts are romanised by
    the package uroman; where it is not installed, a warning says so.
    """

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.json"}
    special_tokens: ClassVar[Mapping[str, Any]] = {"pad_token": "<pad>", "unk_token": "<unk>"}
    settings: ClassVar[Mapping[str, Any]] = {
        "language": None,
        "add_blank": True,
        "normalize": True,
        "phonemize": True,
        "is_uroman": False,
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    language: str | None
    add_blank: bool
    normalize: bool
    phonemize: bool
    is_uroman: bool

    def __init__(self, vocab_file: str | Path | None = None, **kwargs: Any) -> None:
        if vocab_file is None:
            raise TokenizerError("VitsTokenizer needs vocab.json.")
        super().__init__(read_vocab(Path(vocab_file)), **kwargs)

    def normalize_text(self, text: str) -> str:
        """Lower case, but for tokens that the vocabulary has in capitals."""
        tokens = sorted([*self.encoder, *self._added_ids], key=len, reverse=True)
        done, position = [], 0
        while position < len(text):
            token = next((t for t in tokens if t and text.startswith(t, position)), None)
            done.append(text[position].lower() if token is None else token)
            position += 1 if token is None else len(token)
        return "".join(done)

    def prepare_for_tokenization(
        self, text: str, is_split_into_words: bool = False, normalize: bool | None = None, **kwargs: Any
    ) -> tuple[str, dict[str, Any]]:
        normalize = self.normalize if normalize is None else normalize
        if normalize:
            text = self.normalize_text(text)
        if self.is_uroman and not text.isascii():
            text = romanized(text)
        if self.phonemize:
            text = self._phonemes(text)
        elif normalize:
            text = "".join(char for char in text if char in self.encoder).strip()
        return text, kwargs

    def _phonemes(self, text: str) -> str:
        try:
            import phonemizer
        except ImportError as error:
            raise MissingDependency(
                "This VITS checkpoint reads phonemes: pip install 'zoo-audio[phonemes]'"
            ) from error
        phonemes = phonemizer.phonemize(
            text,
            language="en-us",
            backend="espeak",
            strip=True,
            preserve_punctuation=True,
            with_stress=True,
        )
        return re.sub(r"\s+", " ", phonemes)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        tokens = list(text)
        if not self.add_blank:
            return tokens
        blank = self._convert_id_to_token(0) or ""
        spaced = [blank] * (2 * len(tokens) + 1)
        spaced[1::2] = tokens
        return spaced

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        kept = tokens[1::2] if self.add_blank and len(tokens) > 1 else tokens
        return "".join(kept)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        text = json.dumps(self.encoder, indent=2, ensure_ascii=False) + "\n"
        return self._write_vocabulary(save_directory, filename_prefix, {"vocab_file": text})


class FastSpeech2ConformerTokenizer(VocabularyTokenizer):
    """FastSpeech2Conformer: English phonemes by the package g2p_en (Ren et al., 2021)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"vocab_file": "vocab.json"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "bos_token": "<sos/eos>",
        "eos_token": "<sos/eos>",
        "pad_token": "<blank>",
        "unk_token": "<unk>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"should_strip_spaces": False}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    template: ClassVar[Template] = ("$A eos", "$A $B eos")

    should_strip_spaces: bool

    def __init__(self, vocab_file: str | Path | None = None, **kwargs: Any) -> None:
        if vocab_file is None:
            raise TokenizerError("FastSpeech2ConformerTokenizer needs vocab.json.")
        super().__init__(read_vocab(Path(vocab_file)), **kwargs)

    def _tokenize(self, text: str, **kwargs: Any) -> list[str]:
        try:
            from g2p_en import G2p
        except ImportError as error:
            raise MissingDependency("FastSpeech2Conformer reads phonemes: pip install g2p-en") from error
        tokens = G2p()(re.sub(r"\s+", " ", text))
        return [token for token in tokens if token != " "] if self.should_strip_spaces else tokens

    def decode(self, *args: Any, **kwargs: Any) -> str:
        """Phonemes cannot be turned into text: this raises TokenizerError."""
        raise TokenizerError("FastSpeech2Conformer's phonemes cannot be decoded into text.")

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        text = json.dumps(self.encoder, indent=2, ensure_ascii=False) + "\n"
        return self._write_vocabulary(save_directory, filename_prefix, {"vocab_file": text})
