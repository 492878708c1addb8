"""The words that fit into a gap."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from zoo_core.cli.tasks.base import Answer, Task, best, text_of
from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    from zoo_core.cli.terminal import Terminal

GAP = "[MASK]"
"""May stand in a text for whatever the checkpoint's own mask token is."""


class FillMask(Task):
    """The likeliest tokens for each gap of a text, ``[MASK]`` or the checkpoint's own sign."""

    auto_classes = ("AutoModelForMaskedLM",)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--top", type=int, default=5, metavar="N", help="words a gap (default 5)")

    def prepare(self) -> None:
        self.tokenizer = self.part("AutoTokenizer")
        if self.tokenizer.mask_token is None:
            raise ProcessingError(f"the tokenizer of {self.arguments.model} has no mask token")

    def answer(self, item: str) -> Answer:
        mask = self.tokenizer.mask_token
        text = text_of(item).replace(GAP, mask)
        inputs = self.tokenizer(text, return_tensors="pt")
        ids = inputs["input_ids"][0]
        places = (ids == self.tokenizer.mask_token_id).nonzero()[:, 0].tolist()
        if not places:
            raise ProcessingError(f"the text has no gap: put {mask} (or {GAP}) where a word is wanted")
        scores = self.call(inputs).logits[0, places].float().softmax(-1)
        gaps = [
            [self._word(token, score) for token, score in best(row, self.arguments.top)] for row in scores
        ]
        filled = ids.clone()
        filled[places] = scores.argmax(-1).to(filled)
        return {"gaps": gaps, "text": self.tokenizer.decode(filled, skip_special_tokens=True)}

    def _word(self, token: int, score: float) -> dict[str, Any]:
        return {"word": self.tokenizer.decode([token]).strip(), "score": score}

    def show(self, answer: Answer, terminal: Terminal) -> None:
        for gap in answer["gaps"]:
            terminal.table([(f"{found['score']:.4f}", found["word"]) for found in gap])
        terminal.line(f"  {answer['text']}")
