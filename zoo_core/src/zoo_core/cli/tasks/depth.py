"""How far each pixel of a picture is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo_core.cli.tasks import pictures
from zoo_core.cli.tasks.base import Answer, Task, picture_of

if TYPE_CHECKING:
    from zoo_core.cli.terminal import Terminal


class Depth(Task):
    """A map in 16-bit grey from the lowest value to the highest, in the unit that the model has."""

    auto_classes = ("AutoModelForDepthEstimation",)
    writes = True

    def prepare(self) -> None:
        self.processor = self.part("AutoImageProcessor")

    def answer(self, item: str) -> Answer:
        picture = picture_of(item)
        path = self.target(item, ".depth.png")
        out = self.call(self.processor(picture, return_tensors="pt"))
        size = [(picture.height, picture.width)]
        (found,) = self.processor.post_process_depth_estimation(out, target_sizes=size)
        values = found["predicted_depth"].float().cpu().numpy()
        pictures.write_map(values, path)
        return {"lowest": float(values.min()), "highest": float(values.max()), "written": str(path)}

    def show(self, answer: Answer, terminal: Terminal) -> None:
        terminal.line(
            f"  {answer['lowest']:.4g} (black) to {answer['highest']:.4g} (white), in {answer['written']}"
        )
