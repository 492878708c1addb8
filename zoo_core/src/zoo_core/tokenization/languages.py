"""Tokenizers that say the language of a text with a token of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.fast import PreTrainedTokenizerFast
from zoo_core.tokenization.pipelines import template_processor
from zoo_core.tokenization.templates import Template


class LanguageTokenizer(PreTrainedTokenizerFast):
    """``src_lang`` marks texts, ``tgt_lang`` those of ``text_target``; both may be set later.

    A family declares ``languages`` (its codes), ``default_source``, and where the token stands:
    ``source_form`` and ``target_form``, as (before, after) of templates with ``{lang}`` for it.
    """

    settings: ClassVar[Mapping[str, Any]] = {"src_lang": None, "tgt_lang": None}
    languages: ClassVar[tuple[str, ...]] = ()
    default_source: ClassVar[str | None] = None
    source_form: ClassVar[tuple[str, str]] = ("{lang}", "eos")
    target_form: ClassVar[tuple[str, str]] = ("{lang}", "eos")

    src_lang: str | None
    tgt_lang: str | None

    def __init__(self, *vocab_files: Any, **kwargs: Any) -> None:
        if kwargs.get("additional_special_tokens") is None and self.languages:
            kwargs["additional_special_tokens"] = list(self.languages)
        super().__init__(*vocab_files, **kwargs)
        self._set_target()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("src_lang", "tgt_lang") and "_backend" in self.__dict__:
            self._language_id(value)
            super().__setattr__(name, value)
            if name == "src_lang":
                self._set_template()
            else:
                self._set_target()
        else:
            super().__setattr__(name, value)

    @property
    def lang_code_to_id(self) -> dict[str, int]:
        """Language code to the id of its token."""
        ids = ((code, self._language_id(code)) for code in self.languages)
        return {code: index for code, index in ids if index is not None}

    def _language_id(self, code: str | None) -> int | None:
        """The id of a language's token. Raises TokenizerError for a language that there is none for."""
        if code is None:
            return None
        index = self._backend.tokenizer.token_to_id(self._language_token(code))
        if index is None:
            known = ", ".join(self.languages[:6]) or "none"
            raise TokenizerError(f"{type(self).__name__} knows no language {code!r}; it knows {known}, …")
        return int(index)

    def _language_token(self, code: str) -> str:
        """The token of a language; most families use the code itself."""
        return code

    def _form(self, form: tuple[str, str], code: str | None) -> Template:
        token = "" if code is None else f'"{self._language_token(code)}"'
        before, after = (part.replace("{lang}", token).strip() for part in form)
        return f"{before} $A {after}", f"{before} $A $B {after}"

    def _current_template(self) -> Template:
        return self._form(self.source_form, self.src_lang or self.default_source)

    def _set_target(self) -> None:
        processor = template_processor(self._form(self.target_form, self.tgt_lang), self)
        self._backend.set_variant("target", post_processor=processor)

    def _apply_settings(self, explicit: Mapping[str, Any]) -> None:
        super()._apply_settings(explicit)
        if explicit.get("src_lang") is not None:
            self._set_template()
