"""Processor of Donut: pages in, answers as nested fields out (https://arxiv.org/abs/2111.15664)."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from zoo_core.processing import BatchFeature, ProcessorMixin

_OPENING = re.compile(r"<s_(.*?)>", re.IGNORECASE)
_SEPARATOR = "<sep/>"


class DonutProcessor(ProcessorMixin):
    """An image processor and the decoder's tokenizer."""

    attributes = ("image_processor", "tokenizer")

    @property
    def model_input_names(self) -> list[str]:
        """Names of everything a call may return."""
        return [*self.image_processor.model_input_names, "input_ids", "labels"]

    def __call__(
        self, images: Any = None, text: Any = None, videos: Any = None, audio: Any = None, **kwargs: Any
    ) -> BatchFeature:
        """Pages to `pixel_values`; texts that go with pages to `input_ids` and the same ids as `labels`.

        Without pages, texts are tokenized as the tokenizer does; with them, without its special tokens.
        """
        if images is not None and text is not None:
            kwargs.setdefault("add_special_tokens", False)
        found = super().__call__(images, text, videos, audio, **kwargs)
        if images is not None and text is not None:
            ids = found["input_ids"]
            found = BatchFeature({"pixel_values": found["pixel_values"], "labels": ids, "input_ids": ids})
        return found

    def token2json(
        self, tokens: str, is_inner_value: bool = False, added_vocab: Container[str] | None = None
    ) -> dict[str, Any] | list[Any]:
        """The fields of a generated text: `<s_name>value</s_name>`, nested, several values with `<sep/>`.

        An opening tag without a closing one is dropped. A text without fields is one, "text_sequence".

        Args:
            tokens: the decoded text. is_inner_value: return a list also of a single group of fields.
            added_vocab: tokens of which `<name/>` is a category, read as `name`; by default the tokenizer's.
        """
        if added_vocab is None:
            added_vocab = self.tokenizer.get_added_vocab()
        fields: dict[str, Any] = {}
        while (opening := _OPENING.search(tokens)) is not None:
            name = opening[1]
            closing = re.search(re.escape(f"</s_{name}>"), tokens[opening.end() :], re.IGNORECASE)
            if closing is None:
                tokens = tokens.replace(opening[0], "")
                continue
            inside = tokens[opening.end() :][: closing.start()].strip()
            if "<s_" in inside and "</s_" in inside:
                values = self.token2json(inside, True, added_vocab)
            else:
                values = [_leaf(part.strip(), added_vocab) for part in inside.split(_SEPARATOR)]
            if values:
                fields[name] = values[0] if len(values) == 1 else values
            tokens = tokens[opening.end() + closing.end() :].strip()
            if tokens.startswith(_SEPARATOR):
                rest = self.token2json(tokens.removeprefix(_SEPARATOR), True, added_vocab)
                return [fields, *rest]
        if fields:
            return [fields] if is_inner_value else fields
        return [] if is_inner_value else {"text_sequence": tokens}


def _leaf(value: str, added_vocab: Container[str]) -> str:
    """A value; a category without its brackets."""
    if value in added_vocab and value.startswith("<") and value.endswith("/>"):
        return value[1:-2]
    return value
