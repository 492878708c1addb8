"""What the tasks share: choosing an Auto class, loading, reading inputs, and what an answer is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoo_core.cli import language
from zoo_core.errors import MissingDependency, ProcessingError, UnknownArchitecture, WeightsMismatch

if TYPE_CHECKING:
    from PIL.Image import Image

    from zoo_core.cli.terminal import Terminal

Answer = dict[str, Any]
"""What a task found about one input; everything in it can stand in JSON."""

PICTURES = frozenset([".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"])
SOUNDS = frozenset([".wav", ".flac", ".ogg", ".mp3", ".opus", ".m4a", ".aiff"])


class Task:
    """One task with its model: made once, then asked about one input after the other.

    A subclass names the Auto classes that serve it, the best first, adds its options, and answers.
    """

    auto_classes: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[bool] = False
    """Whether the task writes a file for each input."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.auto_class, self.model = load_model(arguments, self.auto_classes)
        self.config = self.model.config
        self.prepare()

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        """Add what only this task understands."""

    def prepare(self) -> None:
        """Load what inputs go through before the model, and check the options against the model."""

    def answer(self, item: str) -> Answer:
        """What there is to say about one input.

        Raises:
            ZooError, OSError: the input cannot be taken; the other inputs go on.
        """
        raise NotImplementedError

    def show(self, answer: Answer, terminal: Terminal) -> None:
        """Write an answer for people."""
        raise NotImplementedError

    def part(self, auto_class: str) -> Any:
        """A preprocessor of the checkpoint by its Auto class, ``"AutoTokenizer"`` and so on."""
        import zoo_core

        return getattr(zoo_core, auto_class).from_pretrained(self.arguments.model)

    def call(self, inputs: Any) -> Any:
        """The model's output for what a preprocessor made."""
        return self.model(**self.placed(inputs))

    def placed(self, inputs: Any) -> dict[str, Any]:
        """Inputs on the model's device, real numbers in its dtype."""
        device, dtype = self.model.device, self.model.dtype
        return {
            name: value.to(device, dtype if value.is_floating_point() else None)
            if hasattr(value, "is_floating_point")
            else value
            for name, value in inputs.items()
        }

    def label(self, index: int) -> str:
        """The name of a class."""
        return str(self.config.id2label.get(index, f"LABEL_{index}"))

    def labels_in_words(self, auto_class: str) -> list[str]:
        """What ``--labels`` names; models of ``auto_class`` need it, and others have classes of their own.

        Raises:
            ProcessingError: it is missing, or given to a model that has classes of its own.
        """
        labels = [label.strip() for label in (self.arguments.labels or "").split(",") if label.strip()]
        if labels and self.auto_class != auto_class:
            raise ProcessingError(f"{type(self.model).__name__} has classes of its own: leave out --labels")
        if not labels and self.auto_class == auto_class:
            raise ProcessingError(
                f'{type(self.model).__name__} wants the classes in words: --labels "a cat,a dog"'
            )
        return labels

    def target(self, item: str, ending: str) -> Path:
        """The file that belongs to an input; never one that exists, unless ``--overwrite`` says so."""
        folder: Path = self.arguments.output
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{Path(item).stem}{ending}"
        if path.exists() and not self.arguments.overwrite:
            raise ProcessingError(f"{path} exists; --overwrite replaces it, --output names another folder")
        return path


def load_model(arguments: argparse.Namespace, wanted: Sequence[str]) -> tuple[str, Any]:
    """The Auto class that serves the checkpoint, and the model on its device.

    Raises:
        UnknownArchitecture: no wanted Auto class serves the type; the message says which tasks are served.
        WeightsMismatch: the checkpoint lacks weights of the head, which would answer at random.
    """
    import zoo_core

    config = zoo_core.AutoConfig.from_pretrained(arguments.model)
    built = {auto: _class_names(config.model_type, auto) for auto in wanted}
    saved = set(config.architectures or ())
    served = [auto for auto in wanted if built[auto]]
    auto = next((auto for auto in served if saved & built[auto]), served[0] if served else None)
    if auto is None:
        raise UnknownArchitecture(
            f"{arguments.model} is of type {config.model_type!r}, which has no model for {arguments.task}. "
            f"It has some for: {', '.join(_tasks_of(config.model_type)) or 'nothing that zoo run knows'}."
        )
    model, info = language.place(
        getattr(zoo_core, auto).from_pretrained, arguments, config=config, output_loading_info=True
    )
    if missing := sorted(info["missing_keys"]):
        kind = ", ".join(sorted(saved)) or "a model without a head"
        raise WeightsMismatch(
            f"{arguments.model} was saved from {kind} and has no weights for {type(model).__name__} "
            f"({', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}): its answers would be random. "
            f"Use a checkpoint that was trained for this task."
        )
    return auto, model


def _class_names(model_type: str, auto_class: str) -> set[str]:
    from zoo_core import registry

    found = registry.get(model_type).candidates(auto_class)
    return {candidate.reference.rpartition(":")[2] for candidate in found}


def _tasks_of(model_type: str) -> Iterator[str]:
    from zoo_core.cli.tasks import TASKS

    for name, entry in TASKS.items():
        if any(_class_names(model_type, auto) for auto in entry.load().auto_classes):
            yield name


def kind_of(item: str) -> str:
    """``"picture"``, ``"sound"`` or ``"text"``, by the ending of a file's name."""
    ending = Path(item).suffix.lower()
    return "picture" if ending in PICTURES else "sound" if ending in SOUNDS else "text"


def text_of(item: str) -> str:
    """The text that an input stands for: ``-`` is standard input, ``@FILE`` a file's, others are texts."""
    if item == "-":
        return sys.stdin.read().strip()
    if item.startswith("@"):
        return Path(item[1:]).read_text(encoding="utf-8").strip()
    return item


def picture_of(item: str) -> Image:
    """A picture file, upright and in RGB."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise MissingDependency("pictures need Pillow: pip install zoo-vision") from None
    try:
        with Image.open(item) as opened:
            return ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise ProcessingError(f"{item} cannot be read as a picture: {error}") from None


def best(scores: Any, count: int) -> list[tuple[int, float]]:
    """The ``count`` highest of a vector of scores, as (place, score)."""
    found = scores.float().topk(min(count, scores.numel()))
    return list(zip(found.indices.tolist(), found.values.tolist(), strict=True))
