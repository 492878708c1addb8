"""What each pixel of a picture belongs to."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from zoo_core.cli.tasks import pictures
from zoo_core.cli.tasks.base import Answer, Task, picture_of
from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    from torch import Tensor

    from zoo_core.cli.terminal import Terminal

KINDS = ("semantic", "instance", "panoptic")


class Segment(Task):
    """Segments with their classes; a mask is written whose pixels are the segments' numbers."""

    auto_classes = (
        "AutoModelForSemanticSegmentation",
        "AutoModelForUniversalSegmentation",
        "AutoModelForInstanceSegmentation",
        "AutoModelForImageSegmentation",
    )
    writes = True

    @classmethod
    def add_options(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--kind", choices=KINDS, help="a class a pixel, single objects, or both; by default what fits"
        )
        parser.add_argument(
            "--threshold", type=float, default=0.5, metavar="S", help="lowest score of an object (0.5)"
        )

    def prepare(self) -> None:
        self.processor = self.part("AutoImageProcessor")
        known = [kind for kind in KINDS if hasattr(self.processor, f"post_process_{kind}_segmentation")]
        semantic = self.auto_class == "AutoModelForSemanticSegmentation"
        if semantic:
            known = [kind for kind in known if kind == "semantic"]
        if not known:
            raise ProcessingError(
                f"{type(self.processor).__name__} cannot read segments from {type(self.model).__name__}"
            )
        self.kind = self.arguments.kind or known[-1]
        if self.kind not in known:
            raise ProcessingError(
                f"--kind {self.kind} is not what {type(self.model).__name__} does; use {' or '.join(known)}"
            )

    def answer(self, item: str) -> Answer:
        picture = picture_of(item)
        path = self.target(item, ".mask.png")
        out = self.call(self.processor(picture, return_tensors="pt"))
        size = [(picture.height, picture.width)]
        if self.kind == "semantic":
            (numbers,) = self.processor.post_process_semantic_segmentation(out, target_sizes=size)
            segments = self.classes_of(numbers)
        else:
            read = getattr(self.processor, f"post_process_{self.kind}_segmentation")
            (found,) = read(out, threshold=self.arguments.threshold, target_sizes=size)
            numbers, segments = found["segmentation"], self.objects_of(found)
        pictures.write_mask(numbers.cpu().numpy().astype("int64"), path)
        return {"kind": self.kind, "segments": segments, "written": str(path)}

    def classes_of(self, numbers: Tensor) -> list[dict[str, Any]]:
        """The classes on a map, the largest first."""
        import torch

        values, counts = torch.unique(numbers, return_counts=True)
        rows = sorted(zip(counts.tolist(), values.tolist(), strict=True), reverse=True)
        return [
            {"number": int(value), "label": self.label(int(value)), "share": count / numbers.numel()}
            for count, value in rows
        ]

    def objects_of(self, found: dict[str, Any]) -> list[dict[str, Any]]:
        """The objects of one picture, with the share of the pixels that each has."""
        numbers = found["segmentation"]
        return [
            {
                "number": one["id"],
                "label": self.label(one["label_id"]),
                "score": one["score"],
                "share": float((numbers == one["id"]).float().mean()),
            }
            for one in found["segments_info"]
        ]

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.table(
            [(one["number"], f"{one['share']:.1%}", one["label"]) for one in answer["segments"]],
            headers=("number", "share", "label") if answer["segments"] else (),
            right=(0, 1),
        )
        terminal.line(f"  {len(answer['segments'])} segments, {answer['kind']}, in {answer['written']}")
