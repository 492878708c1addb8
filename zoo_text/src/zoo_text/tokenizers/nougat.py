"""Nougat: pages as Markdown, and the tidying of what is generated (https://arxiv.org/abs/2308.13418)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from zoo_core.tokenization import PreTrainedTokenizerFast

_SHORTEST_REPETITION = 30
_LONGEST_HEADING = 100
_HEADING = re.compile(r"^(#+) (?:\d*\W? ?)(.*)$", re.MULTILINE)
_UNTITLED = re.compile(r"^#+(?: +[\d.ivx]*\s*)?$\n*", re.MULTILINE)
_STRAY = re.compile(r"(?:#+(?: \w)?|\.\s*)$")
_SENTENCE_END = re.compile(r"[.?!]")
_LETTER, _INDEXED = (re.compile(rf"(?<=\s){sign}(?=[\s.,;])") for sign in (r"_(\w)_", r"_(\w)__(\w{1,3})_"))
_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s()<>\[\]]*[^\s()<>\[\].,;:!?]")
_FENCE = re.compile(r"```\s*(.+?)\s*```", re.DOTALL)


class NougatTokenizer(PreTrainedTokenizerFast):
    """Nougat's tokenizer, as its tokenizer.json says."""

    vocab_files_names: ClassVar[Mapping[str, str]] = {"tokenizer_file": "tokenizer.json"}
    special_tokens: ClassVar[Mapping[str, Any]] = {
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "pad_token": "<pad>",
    }
    model_input_names: Sequence[str] = ("input_ids", "attention_mask")

    def post_process_generation(
        self, generation: str | list[str], fix_markdown: bool = True, num_workers: int | None = None
    ) -> str | list[str]:
        """Tidy the generated text of a page, or of several, so that pages can be joined.

        Headings without a title, lone periods and repetitions at the end go; letters in italics become
        mathematics; tables stand on lines of their own; pages that begin or end a paragraph do so with a
        blank line, others end in a blank.

        Args:
            fix_markdown: make links of addresses, and of bold mathematics what Markdown knows.
            num_workers: taken for compatibility; this is quick.
        """
        if isinstance(generation, str):
            return self.post_process_single(generation, fix_markdown)
        return [self.post_process_single(page, fix_markdown) for page in generation]

    def post_process_single(self, generation: str, fix_markdown: bool = True) -> str:
        """`post_process_generation` of one page."""
        text = _HEADING.sub(_shorter, generation).strip()
        text = _UNTITLED.sub("", text)
        first, found, last = text.rpartition("\n")
        text = first if found and last.startswith("#") else text
        text = _without_stray_signs(without_repetition(text))
        text = _INDEXED.sub(r"\(\1_{\2}\)", _LETTER.sub(r"\(\1\)", text))
        text = correct_tables(_spaced(text))
        lines = ["" if _STRAY.match(line) else line for line in text.split("\n")]
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
        return markdown_compatible(text) if fix_markdown else text


def _shorter(heading: re.Match[str]) -> str:
    """A heading, or where it is too long to be one its text."""
    return heading[2] if len(heading[2]) >= _LONGEST_HEADING else heading[0]


def without_repetition(text: str) -> str:
    """The text with what its end repeats once, up to the end of a sentence."""
    low = text.lower()
    for length in range((len(low) - 1) // 2, _SHORTEST_REPETITION - 1, -1):
        unit = low[-length:]
        if low[-2 * length : -length] == unit:
            break
    else:
        return text
    kept = len(low)
    while low[:kept].endswith(unit):
        kept -= length
    end = _SENTENCE_END.search(low, kept)
    return text[: kept if end is None else end.end()]


def _without_stray_signs(text: str) -> str:
    """Without a single character as the first or the last paragraph."""
    if text[1:3] == "\n\n" and text[0].isalnum():
        text = text[3:]
    if text[-3:-1] == "\n\n" and text[-1].isalnum():
        text = text[:-3]
    return text


def _spaced(text: str) -> str:
    """With the blanks or the blank lines that set a page apart from those before and after it."""
    if text.endswith((".", "}")):
        text += "\n\n"
    if text.startswith(("#", "**", "\\begin")):
        return "\n\n" + text
    return text + ("\n\n" if text.rpartition("\n")[2].startswith(("#", "Figure", "Table")) else " ")


def correct_tables(text: str) -> str:
    """Tables, and the tabulars in them, begin and end on lines of their own."""
    text = re.sub(r"(?<=[^\n}])(?=\\begin\{table\})", "\n", text)
    text = text.replace("\\begin{table} \\begin{tabular}", "\\begin{table}\n\\begin{tabular}")
    text = text.replace("\\end{tabular} \\end{table}", "\\end{tabular}\n\\end{table}")
    return text.replace("\\end{table}\\", "\\end{table}\n\\").replace("{array}[]{", "{array}{")


def markdown_compatible(text: str) -> str:
    """Addresses as links, code between lines of its own, and bold signs as MathJax knows them."""
    text = _ADDRESS.sub(r"[\g<0>](\g<0>)", text.replace("\\bm{", "\\mathbf{"))
    return _FENCE.sub(r"```\n\1\n```", text)
