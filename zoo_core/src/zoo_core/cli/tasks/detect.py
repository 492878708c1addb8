"""Objects in pictures."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zoo_core.cli.tasks import pictures
from zoo_core.cli.tasks.base import Answer, Task, picture_of

if TYPE_CHECKING:
    from zoo_core.cli.terminal import Terminal


class Detect(Task):
    """Boxes with their classes; the picture is written with them."""

    auto_classes = ("AutoModelForObjectDetection",)
    writes = True

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--threshold", type=float, default=0.5, metavar="S", help="lowest score (0.5)")

    def prepare(self) -> None:
        self.processor = self.part("AutoImageProcessor")

    def answer(self, item: str) -> Answer:
        picture = picture_of(item)
        path = self.target(item, ".boxes.png")
        out = self.call(self.processor(picture, return_tensors="pt"))
        (found,) = self.processor.post_process_object_detection(
            out, threshold=self.arguments.threshold, target_sizes=[(picture.height, picture.width)]
        )
        classes = found["labels"].tolist()
        boxes = [pictures.rounded(box) for box in found["boxes"]]
        objects = [
            {"label": self.label(index), "score": float(score), "box": box}
            for index, score, box in zip(classes, found["scores"], boxes, strict=True)
        ]
        names = [f"{one['label']} {one['score']:.2f}" for one in objects]
        pictures.write_boxes(picture, boxes, names, classes, path)
        return {"objects": objects, "written": str(path)}

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.table(
            [
                (f"{one['score']:.4f}", one["label"], " ".join(f"{side:.0f}" for side in one["box"]))
                for one in answer["objects"]
            ],
            headers=("score", "label", "x0 y0 x1 y1") if answer["objects"] else (),
        )
        terminal.line(f"  {len(answer['objects'])} objects, drawn in {answer['written']}")
