"""What ``zoo run`` can do: one file a task, found in a static table, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from zoo_core.cli.tasks.base import Task


class Entry(NamedTuple):
    """Where a task lives, as ``"module:Class"`` in this package, and its line in ``zoo run --help``."""

    reference: str
    summary: str

    def load(self) -> type[Task]:
        """The task's class."""
        module, _, name = self.reference.partition(":")
        found: type[Task] = getattr(import_module(f"{__name__}.{module}"), name)
        return found


TASKS: Mapping[str, Entry] = {
    "classify": Entry("classify:Classify", "the classes of pictures, sounds or texts"),
    "detect": Entry("detect:Detect", "objects in pictures; writes each picture with their boxes"),
    "segment": Entry("segment:Segment", "what each pixel belongs to; writes a mask"),
    "depth": Entry("depth:Depth", "how far each pixel is; writes a map"),
    "caption": Entry("caption:Caption", "a text about each picture"),
    "ask": Entry("ask:Ask", "answers to a question about pictures or texts"),
    "transcribe": Entry("transcribe:Transcribe", "what is said in sounds"),
    "speak": Entry("speak:Speak", "texts as sound; writes WAV files"),
    "embed": Entry("embed:Embed", "texts, pictures or sounds as vectors"),
    "fill-mask": Entry("fill_mask:FillMask", "the words that fit into a gap"),
    "summarise": Entry("rewrite:Summarise", "shorter texts"),
    "translate": Entry("rewrite:Translate", "texts in another language"),
}
