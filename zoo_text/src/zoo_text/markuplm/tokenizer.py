"""MarkupLM's tokenizer: texts of a page, each with its path in the document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from tokenizers import Encoding
from tokenizers.processors import TemplateProcessing

from zoo_core.errors import TokenizerError
from zoo_core.tokenization import BatchEncoding
from zoo_core.tokenization.families import RobertaLikeTokenizer
from zoo_text.tokenizers.layout import PlacedWords

_STEP = re.compile(r"([^\[]*)(?:\[(\d+)\])?")


class MarkupLMTokenizer(PlacedWords, RobertaLikeTokenizer):
    """Byte-level BPE; tokens get the tags and numbers of their node's path.

    text: the nodes of a page, or a question (str) with the nodes as ``text_pair``; batches of either.
    xpaths: one per node, such as ``/html/body/div[2]/p``. node_labels: one per node.

    Args:
        tags_dict: tag to id; the next two ids are those of unknown tags and of padding.
        max_depth: steps of a path that count. max_width: the largest number of a step. pad_width: the number
            that pads.
    """

    settings: ClassVar[Mapping[str, Any]] = {
        "tags_dict": {},
        "max_depth": 50,
        "max_width": 1000,
        "pad_width": 1001,
        "trim_offsets": False,
    }
    words_need_prefix = False
    model_input_names: ClassVar[list[str]] = ["input_ids", "token_type_ids", "attention_mask"]
    tags_dict: dict[str, int]
    max_depth: int
    max_width: int
    pad_width: int

    @property
    def unk_tag_id(self) -> int:
        return len(self.tags_dict)

    @property
    def pad_tag_id(self) -> int:
        return len(self.tags_dict) + 1

    @property
    def pad_xpath_tags_seq(self) -> list[int]:
        """Tags of a token without a path."""
        return [self.pad_tag_id] * self.max_depth

    @property
    def pad_xpath_subs_seq(self) -> list[int]:
        """Numbers of a token without a path."""
        return [self.pad_width] * self.max_depth

    def _set_template(self) -> None:
        ends = self._end("cls_token"), self._end("sep_token")
        first, last = (token for token, _ in ends)
        self._backend.tokenizer.post_processor = TemplateProcessing(
            single=[first, "$A", last], pair=[first, "$A", last, "$B", last], special_tokens=list(set(ends))
        )
        self._backend.changed()

    def __call__(
        self,
        text: Any = None,
        text_pair: Any = None,
        xpaths: Any = None,
        node_labels: Any = None,
        *args: Any,
        **kwargs: Any,
    ) -> BatchEncoding:
        if xpaths is None:
            raise TokenizerError(
                f"{type(self).__name__} needs xpaths=, one per node, such as /html/body/p[2]"
            )
        return self.placed(text, text_pair, ("xpaths", xpaths), ("node_labels", node_labels), *args, **kwargs)

    def get_xpath_seq(self, xpath: str) -> tuple[list[int], list[int]]:
        """Ids of the tags and numbers of the steps of a path, `max_depth` each."""
        tags, numbers = [], []
        for step in filter(None, xpath.split("/")):
            found = _STEP.fullmatch(step)
            if found is None:
                raise TokenizerError(
                    f"xpaths: {xpath!r} holds the step {step!r}; steps are tag or tag[number]"
                )
            tags.append(self.tags_dict.get(found[1], self.unk_tag_id))
            numbers.append(min(int(found[2] or 0), self.max_width))
        tags, numbers = tags[: self.max_depth], numbers[: self.max_depth]
        return (
            tags + self.pad_xpath_tags_seq[len(tags) :],
            numbers + self.pad_xpath_subs_seq[len(numbers) :],
        )

    def _place(self, row: Encoding, places: Sequence[str], question: bool) -> dict[str, list[Any]]:
        nothing = self.pad_xpath_tags_seq, self.pad_xpath_subs_seq
        known = [self.get_xpath_seq(path) for path in places]
        found = [
            nothing if word is None or (question and sequence == 0) else known[word]
            for word, sequence in zip(row.word_ids, row.sequence_ids, strict=True)
        ]
        return {
            "xpath_tags_seq": [list(tags) for tags, _ in found],
            "xpath_subs_seq": [list(numbers) for _, numbers in found],
        }
