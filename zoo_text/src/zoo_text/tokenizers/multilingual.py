"""Sentencepiece with language codes: mBART, NLLB, PLBart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import AddedToken

from zoo_core.tokenization.families import FairseqTokenizer
from zoo_core.tokenization.languages import LanguageTokenizer
from zoo_text.tokenizers.language_codes import MBART, MBART50, NLLB, PLBART

_MASK = AddedToken("<mask>", lstrip=True, normalized=True, special=True)


class MBartTokenizer(LanguageTokenizer, FairseqTokenizer):
    """mBART: the language after ``</s>`` (Liu et al., 2020)."""

    languages = MBART
    default_source = "en_XX"
    source_form = target_form = ("", "eos {lang}")

    def _extra_pieces(self) -> Sequence[str]:
        return (*self.languages, "<mask>")


class MBart50Tokenizer(MBartTokenizer):
    """mBART-50: the language in front (Tang et al., 2020)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {
        **{role: token for role, token in FairseqTokenizer.special_tokens.items() if role != "bos_token"},
        "mask_token": _MASK,
    }
    languages = MBART50
    source_form = target_form = ("{lang}", "eos")


class NllbTokenizer(LanguageTokenizer, FairseqTokenizer):
    """NLLB: the language in front, or with ``legacy_behaviour`` after ``</s>`` (Costa-jussà et al., 2022)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {**FairseqTokenizer.special_tokens, "mask_token": _MASK}
    settings: ClassVar[Mapping[str, Any]] = {"legacy_behaviour": False}
    languages = NLLB
    default_source = "eng_Latn"

    legacy_behaviour: bool

    def _form(self, form: tuple[str, str], code: str | None) -> tuple[str, str]:
        return super()._form(("", "eos {lang}") if self.legacy_behaviour else form, code)

    def _extra_pieces(self) -> Sequence[str]:
        return ()


class PLBartTokenizer(LanguageTokenizer, FairseqTokenizer):
    """PLBart: programming languages after ``</s>`` (Ahmad et al., 2021)."""

    special_tokens: ClassVar[Mapping[str, Any]] = {**FairseqTokenizer.special_tokens, "mask_token": _MASK}
    settings: ClassVar[Mapping[str, Any]] = {"language_codes": "base"}
    clean_up_tokenization_spaces = True
    languages = PLBART["base"]
    source_form = target_form = ("", "eos {lang}")

    language_codes: str

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        self.languages = PLBART[kwargs.get("language_codes", "base")]  # type: ignore[misc]
        for name in ("src_lang", "tgt_lang"):
            if kwargs.get(name) is not None:
                kwargs[name] = self._code(kwargs[name])
        super().__init__(*vocab_files, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, self._code(value) if name in ("src_lang", "tgt_lang") and value else value)

    @staticmethod
    def _code(code: str) -> str:
        """``java`` and ``__java__`` mean the same."""
        return code if code.startswith("__") else f"__{code}__"

    def _extra_pieces(self) -> Sequence[str]:
        return (*self.languages, "<mask>")
