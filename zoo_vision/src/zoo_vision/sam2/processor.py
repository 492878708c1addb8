"""Processor of Segment Anything 2: pictures, with points and boxes in the pixels that the model sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

LEVELS = {
    "input_points": ("image level", "object level", "point level", "point coordinates"),
    "input_labels": ("image level", "object level", "point level"),
    "input_boxes": ("image level", "box level", "box coordinates"),
}


class Sam2Processor(ProcessorMixin):
    """The image processor of Segment Anything 2, which takes prompts too."""

    attributes: ClassVar[tuple[str, ...]] = ("image_processor",)
    target_size: int | None = None
    point_pad_value: int = -10

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        segmentation_maps: Any = None,
        input_points: Any = None,
        input_labels: Any = None,
        input_boxes: Any = None,
        original_sizes: Any = None,
        return_tensors: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Pixels of pictures, and prompts for each of them.

        Args:
            images: one or a list; or none, with the ``original_sizes``, (height, width) each, of pictures
                that were prepared before. segmentation_maps: a label map for each.
            input_points: for each picture, for each object, (x, y) in its pixels of each point.
            input_labels: for each of them 1 on the object, 0 off it.
            input_boxes: for each picture left, top, right and bottom, in its pixels, of each object.

        Returns:
            Besides the pixels, ``input_points`` (batch, objects, points, 2), ``input_labels`` (batch,
            objects, points) and ``input_boxes`` (batch, objects, 4), where given, in the model's pixels.
            Points and labels that are missing are ``point_pad_value``, which counts for nothing.

        Raises:
            ProcessingError: prompts are nested otherwise, or do not fit the pictures.
        """
        if images is not None:
            found = self.image_processor(images, segmentation_maps, return_tensors=return_tensors, **kwargs)
            original_sizes = found["original_sizes"]
        elif original_sizes is None:
            raise ProcessingError("pass images, or the original_sizes of pictures that were prepared before")
        else:
            found = BatchFeature({"original_sizes": np.asarray(original_sizes)}, return_tensors)
        sizes = [(int(height), int(width)) for height, width in original_sizes]
        prompts: dict[str, np.ndarray] = {}
        if input_points is not None:
            points = self._scaled(nested(input_points, "input_points"), sizes, "input_points")
            prompts["input_points"] = padded(points, self.point_pad_value)
        if input_labels is not None:
            labels = nested(input_labels, "input_labels")
            prompts["input_labels"] = padded(labels, self.point_pad_value).astype(np.int64)
            if (
                "input_points" in prompts
                and prompts["input_points"].shape[:3] != prompts["input_labels"].shape
            ):
                raise ProcessingError(
                    f"input_labels are {prompts['input_labels'].shape} for input_points of "
                    f"{prompts['input_points'].shape[:3]}; give a label for each point"
                )
        if input_boxes is not None:
            boxes = nested(input_boxes, "input_boxes")
            if len({len(one) for one in boxes}) > 1:
                counts = ", ".join(str(len(one)) for one in boxes)
                raise ProcessingError(f"input_boxes are {counts} boxes; every picture needs as many")
            prompts["input_boxes"] = padded(self._scaled(boxes, sizes, "input_boxes"), self.point_pad_value)
        found.update(BatchFeature(prompts, return_tensors))
        return found

    @property
    def side(self) -> int:
        """Side of the square that the model sees."""
        return int(self.target_size or self.image_processor.size["height"])

    def _scaled(self, given: list[Any], sizes: Sequence[tuple[int, int]], name: str) -> list[Any]:
        """The same in the pixels of the model; for one picture with several sizes, of the first."""
        if len(given) not in (1, len(sizes)):
            raise ProcessingError(
                f"{name} hold {len(given)} entries for {len(sizes)} pictures; give one a picture"
            )
        target = self.side

        def scale(value: Any, factors: np.ndarray) -> Any:
            if isinstance(value[0], list):
                return [scale(one, factors) for one in value]
            if len(value) != len(factors):
                raise ProcessingError(f"{name} hold {value}; {len(factors)} numbers are needed")
            return (np.asarray(value, dtype=np.float64) * factors).tolist()

        repeat = 2 if name == "input_boxes" else 1
        return [
            scale(one, np.asarray([target / width, target / height] * repeat)) if one else one
            for one, (height, width) in zip(given, sizes, strict=False)
        ]

    def post_process_masks(self, *args: Any, **kwargs: Any) -> Any:
        """The image processor's: masks in the pixels of the pictures."""
        return self.image_processor.post_process_masks(*args, **kwargs)


def nested(given: Any, name: str) -> list[Any]:
    """Prompts as lists, of as many levels as they must have."""
    found = given.tolist() if hasattr(given, "tolist") else given
    depth, inner = 0, found
    while isinstance(inner, (list, tuple)) or hasattr(inner, "tolist"):
        inner = inner.tolist() if hasattr(inner, "tolist") else inner
        if not isinstance(inner, (list, tuple)):
            break
        depth += 1
        inner = inner[0] if len(inner) else None
    levels = LEVELS[name]
    if depth != len(levels):
        raise ProcessingError(
            f"{name} have {depth} levels; they must have {len(levels)}: {', '.join(levels)}"
        )

    def plain(value: Any) -> Any:
        value = value.tolist() if hasattr(value, "tolist") else value
        return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value

    result: list[Any] = plain(found)
    return result


def padded(given: list[Any], value: int) -> np.ndarray:
    """Nested lists as one array, with `value` where a list is shorter than others of its level."""
    shape: list[int] = []
    level: list[Any] = [given]
    while level and isinstance(level[0], list):
        shape.append(max(len(one) for one in level))
        level = [item for one in level for item in one]
    array = np.full(shape, value, dtype=np.float32)

    def fill(target: np.ndarray, source: Any) -> None:
        for i, one in enumerate(source):
            if isinstance(one, list):
                fill(target[i], one)
            else:
                target[i] = one

    fill(array, given)
    return array
