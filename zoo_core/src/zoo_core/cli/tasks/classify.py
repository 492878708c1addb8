"""Classes of pictures, sounds and texts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from zoo_core.cli.tasks.base import Answer, Task, best, picture_of, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from zoo_core.cli.terminal import Terminal

_IN_WORDS = "AutoModelForZeroShotImageClassification"
_READERS = {
    "AutoModelForImageClassification": "AutoImageProcessor",
    "AutoModelForAudioClassification": "AutoFeatureExtractor",
    "AutoModelForSequenceClassification": "AutoTokenizer",
    _IN_WORDS: "AutoProcessor",
}


class Classify(Task):
    """The likeliest classes: those that the model was trained for, or with ``--labels`` any in words."""

    auto_classes = tuple(_READERS)

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--top", type=int, default=5, metavar="N", help="how many classes (default 5)")
        parser.add_argument("--labels", metavar="A,B,...", help="classes in words, for models of both")

    def prepare(self) -> None:
        self.labels = self.labels_in_words(_IN_WORDS)
        self.reader = self.part(_READERS[self.auto_class])

    def answer(self, item: str) -> Answer:
        out = self.call(self.read(item))
        scores = self.scores(out.logits_per_image[0] if self.labels else out.logits[0])
        found = best(scores, self.arguments.top)
        return {
            "classes": [
                {"label": self.labels[i] if self.labels else self.label(i), "score": score}
                for i, score in found
            ]
        }

    def read(self, item: str) -> Any:
        """The model's inputs."""
        if self.labels:
            return self.reader(images=picture_of(item), text=self.labels, padding=True, return_tensors="pt")
        if self.auto_class == "AutoModelForImageClassification":
            return self.reader(picture_of(item), return_tensors="pt")
        if self.auto_class == "AutoModelForAudioClassification":
            return self.reader([item], resample=True, return_tensors="pt")
        return self.reader(text_of(item), truncation=True, return_tensors="pt")

    def scores(self, logits: Tensor) -> Tensor:
        """What the head means: chances of each class alone, of one of them, or a value."""
        if not self.labels and (self.config.problem_type == "regression" or logits.numel() == 1):
            return logits
        if not self.labels and self.config.problem_type == "multi_label_classification":
            return logits.sigmoid()
        return logits.float().softmax(-1)

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.table([(f"{found['score']:.4f}", found["label"]) for found in answer["classes"]])
