"""Objects in pictures."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from zoo_core.cli.tasks import pictures
from zoo_core.cli.tasks.base import Answer, Task, picture_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from zoo_core.cli.terminal import Terminal


_IN_WORDS = "AutoModelForZeroShotObjectDetection"


class Detect(Task):
    """Boxes with their classes, with ``--labels`` any in words; the picture is written with them."""

    auto_classes = ("AutoModelForObjectDetection", _IN_WORDS)
    writes = True

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--threshold", type=float, metavar="S", help="lowest score (0.5, with --labels the model's own)"
        )
        parser.add_argument("--labels", metavar="A,B,...", help="classes in words, for models that take them")

    def prepare(self) -> None:
        self.labels = self.labels_in_words(_IN_WORDS)
        self.processor = self.part("AutoProcessor" if self.labels else "AutoImageProcessor")

    def answer(self, item: str) -> Answer:
        picture = picture_of(item)
        path = self.target(item, ".boxes.png")
        found = self.named(picture) if self.labels else self.classified(picture)
        scores, boxes = found["scores"].tolist(), [pictures.rounded(box) for box in found["boxes"]]
        classes = found["classes"]
        objects = [
            {"label": name, "score": score, "box": box}
            for name, score, box in zip(found["names"], scores, boxes, strict=True)
        ]
        names = [f"{one['label']} {one['score']:.2f}" for one in objects]
        pictures.write_boxes(picture, boxes, names, classes, path)
        return {"objects": objects, "written": str(path)}

    def classified(self, picture: Image) -> dict[str, Any]:
        """Scores, boxes, numbers and names of classes, by the model's own."""
        out = self.call(self.processor(picture, return_tensors="pt"))
        threshold = 0.5 if self.arguments.threshold is None else self.arguments.threshold
        (found,) = self.processor.post_process_object_detection(
            out, threshold=threshold, target_sizes=[(picture.height, picture.width)]
        )
        classes = found["labels"].tolist()
        return {**found, "classes": classes, "names": [self.label(index) for index in classes]}

    def named(self, picture: Image) -> dict[str, Any]:
        """The same by the classes in words."""
        out = self.call(self.processor(images=[picture], text=[self.labels], return_tensors="pt"))
        options = {} if self.arguments.threshold is None else {"threshold": self.arguments.threshold}
        (found,) = self.processor.post_process_grounded_object_detection(
            out, target_sizes=[(picture.height, picture.width)], text_labels=[self.labels], **options
        )
        names = found["text_labels"]
        known = list(dict.fromkeys((*self.labels, *names)))  # a model may name parts of what was asked for
        return {**found, "classes": [known.index(name) for name in names], "names": names}

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.table(
            [
                (f"{one['score']:.4f}", one["label"], " ".join(f"{side:.0f}" for side in one["box"]))
                for one in answer["objects"]
            ],
            headers=("score", "label", "x0 y0 x1 y1") if answer["objects"] else (),
        )
        terminal.line(f"  {len(answer['objects'])} objects, drawn in {answer['written']}")
