"""Texts from texts: shorter, or in another language."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoo_core.cli import language
from zoo_core.cli.tasks.base import Answer, Task, text_of
from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    from zoo_core.cli.terminal import Terminal


class Rewrite(Task):
    """One text in, one text out, by a model with an encoder and a decoder."""

    auto_classes = ("AutoModelForSeq2SeqLM",)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        language.add_writing_options(parser, max_new_tokens=None)
        parser.add_argument("--num-beams", type=int, metavar="N", help="search with N beams")

    def prepare(self) -> None:
        self.tokenizer = self.part("AutoTokenizer")
        self.prefix = ""
        self.settings: dict[str, Any] = {}

    def recipe(self, name: str) -> bool:
        """Take over what the checkpoint's config says about a task: a prefix, and settings of `generate`."""
        found = (getattr(self.config, "task_specific_params", None) or {}).get(name)
        if not isinstance(found, dict):
            return False
        known = vars(self.model.generation_config)
        self.prefix = str(found.get("prefix") or "")
        self.settings |= {key: value for key, value in found.items() if key in known}
        return True

    def answer(self, item: str) -> Answer:
        text = self.prefix + text_of(item)
        inputs = self.tokenizer(text, return_tensors="pt")
        longest = self.tokenizer.model_max_length
        length = inputs["input_ids"].shape[1]
        if length > longest:
            raise ProcessingError(
                f"the text has {length} tokens and {type(self.model).__name__} takes {longest}: split it"
            )
        inputs.pop("token_type_ids", None)
        settings = {**self.settings, **language.settings(self.arguments)}
        if "max_new_tokens" in settings:
            settings.pop("max_length", None)
        ids = self.model.generate(**self.placed(inputs), **settings)
        return {"text": self.tokenizer.decode(ids[0], skip_special_tokens=True).strip()}

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.line(answer["text"])


class Summarise(Rewrite):
    """A shorter text."""

    def prepare(self) -> None:
        super().prepare()
        self.recipe("summarization")


class Translate(Rewrite):
    """A text in another language; which ones there are is the checkpoint's business."""

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("--from", dest="source", metavar="CODE", help="the text's language")
        parser.add_argument("--to", dest="target", metavar="CODE", help="the wanted language")

    def prepare(self) -> None:
        super().prepare()
        source, target = self.arguments.source, self.arguments.target
        pair = getattr(self.tokenizer, "source_lang", None), getattr(self.tokenizer, "target_lang", None)
        if self.recipe(f"translation_{source}_to_{target}") or (source, target) in (pair, (None, None)):
            return
        tokenizer, many = self.tokenizer, getattr(self.tokenizer, "lang_code_to_id", {})
        codes = many or {token[2:-2]: token for token in getattr(tokenizer, "supported_language_codes", ())}
        self._check(source if many else None, codes)
        self._check(target, codes)
        if not many:  # the text says its target: >>fra<< Hello
            self.prefix = f"{codes[target]} " if target else ""
            return
        if source:
            tokenizer.src_lang = source
        if target:
            tokenizer.tgt_lang = target
            self.settings["forced_bos_token_id"] = many[target]

    def _check(self, code: str | None, known: Mapping[str, Any]) -> None:
        if code is None or code in known:
            return
        some = ", ".join(sorted(known)[:8]) + (", ..." if len(known) > 8 else "")
        raise ProcessingError(
            f"{self.arguments.model} does not know the language {code!r}; it "
            + (f"knows {some}" if known else "translates one pair: leave out --from and --to")
        )
