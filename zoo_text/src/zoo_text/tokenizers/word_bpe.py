"""BPE within words, in Python: XLM, Flaubert, BioGPT, FSMT, CTRL."""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.bpe import MarkedBpeTokenizer, WordBpeTokenizer
from zoo_core.tokenization.pipelines import read_vocab
from zoo_core.tokenization.templates import Template
from zoo_text.tokenizers import moses

_EXTRA = tuple(f"<special{index}>" for index in range(10))


class XLMTokenizer(WordBpeTokenizer):
    """XLM: Moses words, lower case without accents (Conneau and Lample, 2019).

    lang2id, id2lang: languages of the checkpoint. ``lang`` in a call names the text's.
    """

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "cls_token": "</s>",
        "mask_token": "<special1>",
        "additional_special_tokens": _EXTRA,
    }
    settings: ClassVar[Mapping[str, Any]] = {
        "lang2id": None,
        "id2lang": None,
        "do_lowercase_and_remove_accent": True,
    }
    template: ClassVar[Template] = ("bos $A sep", "bos $A sep $B:1 sep:1")
    language: ClassVar[str] = "en"

    do_lowercase_and_remove_accent: bool

    def _tokenize(
        self, text: str, lang: str | None = None, bypass_tokenizer: bool = False, **kwargs: Any
    ) -> list[str]:
        words = text.split() if bypass_tokenizer else self._words_in(text, lang or self.language)
        return [piece for word in words for piece in self._pieces(word)]

    def _words_in(self, text: str, language: str) -> list[str]:
        if language in ("zh", "ja", "th"):
            raise TokenizerError(
                f"Words of the language {language!r} need a splitter of its own: pass them split, with "
                "bypass_tokenizer=True."
            )
        text = moses.replace_unicode_punctuation(text)
        text = moses.remove_unprintable(moses.normalize_punctuation(text, language))
        words = moses.tokenize(text, language, escape=False)
        return _plain(" ".join(words)).split() if self.do_lowercase_and_remove_accent else words


def _plain(text: str) -> str:
    """Lower case without accents."""
    return "".join(
        char for char in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(char) != "Mn"
    ).lower()


class FlaubertTokenizer(XLMTokenizer):
    """FlauBERT: French words with case and accents (Le et al., 2020)."""

    settings: ClassVar[Mapping[str, Any]] = {"do_lowercase": False, "do_lowercase_and_remove_accent": False}
    language = "fr"

    do_lowercase: bool

    def _words_in(self, text: str, language: str) -> list[str]:
        text = text.replace("``", '"').replace("''", '"')
        text = unicodedata.normalize("NFC", text)
        text = moses.replace_unicode_punctuation(text.lower() if self.do_lowercase else text)
        text = moses.remove_unprintable(moses.normalize_punctuation(text, language))
        return moses.tokenize(text, language, escape=False)


class BioGptTokenizer(WordBpeTokenizer):
    """BioGPT: Moses words with their entities, ``</s>`` in front (Luo et al., 2022)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    template: ClassVar[Template] = ("sep $A", "sep $A sep $B")

    def _words(self, text: str) -> list[str]:
        return moses.tokenize(text, "en")

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return moses.detokenize(super().convert_tokens_to_string(tokens).split(), "en")


class FSMTTokenizer(WordBpeTokenizer):
    """FSMT, the WMT19 models: a vocabulary per language, Moses words (Ng et al., 2019)."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "src_vocab_file": "vocab-src.json",
        "tgt_vocab_file": "vocab-tgt.json",
        "merges_file": "merges.txt",
    }
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
    }
    settings: ClassVar[Mapping[str, Any]] = {"langs": None, "do_lower_case": False}
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")
    template: ClassVar[Template] = ("$A sep", "$A sep $B:1 sep:1")

    do_lower_case: bool

    def __init__(
        self,
        langs: Sequence[str] | None = None,
        src_vocab_file: str | Path | None = None,
        tgt_vocab_file: str | Path | None = None,
        merges_file: str | Path | None = None,
        **kwargs: Any,
    ) -> None:
        if not langs or len(langs) != 2:
            raise TokenizerError(f"langs names the source and the target language, not {langs!r}.")
        if tgt_vocab_file is None:
            raise TokenizerError("FSMTTokenizer needs vocab-src.json, vocab-tgt.json and merges.txt.")
        self.src_lang, self.tgt_lang = langs
        target = read_vocab(Path(tgt_vocab_file))
        self._target_names = {index: token for token, index in target.items()}
        super().__init__(src_vocab_file, merges_file, langs=list(langs), **kwargs)
        self._files = {
            "src_vocab_file": self._files["vocab_file"],
            "tgt_vocab_file": Path(tgt_vocab_file),
            "merges_file": self._files["merges_file"],
        }

    def _words(self, text: str) -> list[str]:
        text = text.lower() if self.do_lower_case else text
        text = moses.remove_unprintable(moses.normalize_punctuation(text, self.src_lang))
        return moses.tokenize(text, self.src_lang)

    def _decode(self, ids: list[int], *, skip_special_tokens: bool, **kwargs: Any) -> str:
        form = copy.copy(self)
        form._names = self._target_names
        return super(FSMTTokenizer, form)._decode(ids, skip_special_tokens=skip_special_tokens, **kwargs)

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        return moses.detokenize(super().convert_tokens_to_string(tokens).split(), self.tgt_lang)


class CTRLTokenizer(MarkedBpeTokenizer):
    """CTRL: words cut at blanks; a piece that its word goes on after ends in ``@@`` (Keskar et al., 2019)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {"unk_token": "<unk>"}

    def _words(self, text: str) -> list[str]:
        return re.findall(r"\S+\n?", text)
