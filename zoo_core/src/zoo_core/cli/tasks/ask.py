"""Answers to a question, from pictures or texts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from zoo_core.cli.tasks.base import Answer, best, picture_of, text_of
from zoo_core.cli.tasks.writing import PictureWriter
from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    from torch import Tensor

    from zoo_core.cli.terminal import Terminal

_TEXT = "AutoModelForQuestionAnswering"
_LONGEST_WINDOW = 384
_LONGEST_ANSWER = 30


class Ask(PictureWriter):
    """An answer about each input: a place in a text, one of a model's answers, or a text that it writes."""

    auto_classes = (
        "AutoModelForVisualQuestionAnswering",
        "AutoModelForDocumentQuestionAnswering",
        "AutoModelForImageTextToText",
        "AutoModelForVision2Seq",
        _TEXT,
    )

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument("-q", "--question", required=True, metavar="TEXT")
        parser.add_argument(
            "--template", default="{}", metavar="TEXT", help='around the question: "Question: {} Answer:"'
        )

    def prepare(self) -> None:
        if self.auto_class == _TEXT:
            self.tokenizer = self.part("AutoTokenizer")
            return
        super().prepare()
        self.question = self.arguments.template.replace("{}", self.arguments.question)

    def answer(self, item: str) -> Answer:
        if self.auto_class == _TEXT:
            return self.from_text(text_of(item))
        if self.model.can_generate():
            return {"answer": self.write(item, self.question)}
        out = self.call(self.inputs(picture_of(item), self.question))
        if "start_logits" in out:
            raise ProcessingError(
                f"{type(self.model).__name__} finds answers among the words of a page, "
                f"and this command reads no pages"
            )
        place, score = best(out.logits[0].sigmoid(), 1)[0]
        return {"answer": self.label(place), "score": score}

    def from_text(self, text: str) -> Answer:
        """The span of a text that answers best, over windows that overlap where the text is long."""
        longest = min(self.tokenizer.model_max_length, _LONGEST_WINDOW)
        windows = self.tokenizer(
            self.arguments.question,
            text,
            truncation="only_second",
            max_length=longest,
            stride=longest // 4,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding=True,
            return_tensors="pt",
        )
        offsets = windows.pop("offset_mapping")
        windows.pop("overflow_to_sample_mapping", None)
        out = self.call(windows)
        found = [
            (*best_span(start, end, self._readable(windows, i)), i)
            for i, (start, end) in enumerate(zip(out.start_logits, out.end_logits, strict=True))
        ]
        score, first, last, window = max(found)
        begin, end = int(offsets[window, first, 0]), int(offsets[window, last, 1])
        return {"answer": text[begin:end], "score": score, "start": begin, "end": end}

    def _readable(self, windows: Any, index: int) -> Tensor:
        """Which tokens of a window belong to the text."""
        import torch

        return torch.tensor([part == 1 for part in windows.sequence_ids(index)])

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.line(answer["answer"])


def best_span(start: Tensor, end: Tensor, readable: Tensor) -> tuple[float, int, int]:
    """The likeliest span (score, first, last) within ``readable`` of one window (length,)."""
    import torch

    hidden = ~readable.to(start.device)
    first = start.float().masked_fill(hidden, -1e9).softmax(-1)
    last = end.float().masked_fill(hidden, -1e9).softmax(-1)
    joint = torch.triu(first[:, None] * last[None])
    joint = joint - torch.triu(joint, _LONGEST_ANSWER)
    place = int(joint.argmax())
    return float(joint.max()), place // len(start), place % len(start)
