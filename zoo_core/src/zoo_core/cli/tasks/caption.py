"""A text about each picture."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zoo_core.cli.tasks.base import Answer
from zoo_core.cli.tasks.writing import PictureWriter

if TYPE_CHECKING:
    from zoo_core.cli.terminal import Terminal


class Caption(PictureWriter):
    """What a picture shows, in words."""

    auto_classes = ("AutoModelForImageTextToText", "AutoModelForVision2Seq")

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        super().add_options(parser)
        parser.add_argument(
            "--prompt", metavar="TEXT", help="what the text begins with, or is asked for with"
        )

    def answer(self, item: str) -> Answer:
        return {"text": self.write(item, self.arguments.prompt)}

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.line(answer["text"])
