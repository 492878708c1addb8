"""Processor of Segment Anything: pictures, with points and boxes in the pixels that the model sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin
from zoo_vision.processing.resample import longest_edge


class SamProcessor(ProcessorMixin):
    """The image processor of Segment Anything, which takes prompts too."""

    attributes = ("image_processor",)
    point_pad_value: int = -10

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        segmentation_maps: Any = None,
        input_points: Any = None,
        input_labels: Any = None,
        input_boxes: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Pixels of pictures, and prompts for each of them; see `SamImageProcessor.preprocess`.

        Args:
            images: one or a list.
            segmentation_maps: a label map for each.
            input_points: for each picture (points, 2) or (objects, points, 2): x and y in its pixels.
            input_labels: for each picture (points,) or (objects, points): 1 on the object, 0 off it, by
                default 1.
            input_boxes: for each picture (objects, 4): left, top, right and bottom in its pixels.
            **kwargs: ``return_tensors``, ``point_pad_value`` and settings of the image processor.

        Returns:
            Besides the pixels, ``input_points`` (batch, objects, points, 2), ``input_labels`` (batch,
            objects, points) and ``input_boxes`` (batch, objects, 4), where given. Pictures with fewer
            points than others get points and labels of ``point_pad_value``, which count for nothing.

        Raises:
            ProcessingError: prompts do not fit the pictures; the message names the picture.
        """
        pad = kwargs.pop("point_pad_value", self.point_pad_value)
        options = self.route(kwargs)["images_kwargs"]
        found = self.image_processor(images, segmentation_maps, **options)
        sizes = [(int(height), int(width)) for height, width in found["original_sizes"]]
        longest = options.get("size", self.image_processor.size)["longest_edge"]
        prompts: dict[str, np.ndarray] = {}
        if input_points is not None:
            points = [
                one[None] if one.ndim == 2 else one
                for one in per_picture(input_points, sizes, "input_points")
            ]
            labels = with_labels(points, input_labels, sizes)
            for index, size in enumerate(sizes):
                check_inside(points[index], size, f"input_points of picture {index}")
            points = [scaled(one, size, longest) for one, size in zip(points, sizes, strict=True)]
            uneven = len({one.shape[1] for one in points}) > 1
            prompts["input_points"] = stacked(points, pad, "input_points")
            if uneven or input_labels is not None:
                prompts["input_labels"] = stacked(labels, pad, "input_labels")
        elif input_labels is not None:
            raise ProcessingError("input_labels came without input_points, whose labels they are")
        if input_boxes is not None:
            boxes = per_picture(input_boxes, sizes, "input_boxes")
            for index, size in enumerate(sizes):
                check_boxes(boxes[index], size, f"input_boxes of picture {index}")
            corners = [
                scaled(one.reshape(-1, 2, 2), size, longest).reshape(-1, 4)
                for one, size in zip(boxes, sizes, strict=True)
            ]
            prompts["input_boxes"] = stacked(corners, pad, "input_boxes")
        found.update(BatchFeature(prompts, options.get("return_tensors")))
        return found

    def post_process_masks(self, *args: Any, **kwargs: Any) -> Any:
        """The image processor's: masks in the pixels of the pictures."""
        return self.image_processor.post_process_masks(*args, **kwargs)


def per_picture(given: Any, sizes: Sequence[Any], name: str) -> list[np.ndarray]:
    """One array a picture."""
    if len(given) != len(sizes):
        raise ProcessingError(
            f"{name} hold {len(given)} entries for {len(sizes)} pictures; give one a picture"
        )
    dims = {"input_points": (2, 3), "input_labels": (1, 2), "input_boxes": (2,)}[name]
    last = {"input_points": 2, "input_boxes": 4}.get(name)
    found = []
    for index, one in enumerate(given):
        try:
            array = np.asarray(one, dtype=np.int64 if name == "input_labels" else np.float64)
        except (TypeError, ValueError) as error:
            raise ProcessingError(f"{name} of picture {index} are no numbers in even rows: {error}") from None
        if array.ndim not in dims or (last is not None and array.shape[-1] != last) or not array.size:
            shapes = {
                "input_points": "(points, 2) or (objects, points, 2)",
                "input_labels": "(points,) or (objects, points)",
                "input_boxes": "(objects, 4)",
            }
            raise ProcessingError(
                f"{name} of picture {index} have shape {array.shape}; give {shapes[name]} a picture"
            )
        found.append(array)
    return found


def with_labels(points: list[np.ndarray], given: Any, sizes: Sequence[Any]) -> list[np.ndarray]:
    """Labels (objects, points) for the points of each picture."""
    if given is None:
        return [np.ones(one.shape[:2], dtype=np.int64) for one in points]
    labels = [one[None] if one.ndim == 1 else one for one in per_picture(given, sizes, "input_labels")]
    for index, (one, of) in enumerate(zip(labels, points, strict=True)):
        if one.shape != of.shape[:2]:
            raise ProcessingError(
                f"picture {index} has input_labels of shape {one.shape} for input_points of {of.shape[:2]}"
            )
    return labels


def check_inside(points: np.ndarray, size: tuple[int, int], what: str) -> None:
    """Refuse points (..., 2) beyond a picture of this height and width."""
    outside = ~((points >= 0) & (points <= size[::-1])).all(-1)
    if outside.any():
        place = points[outside][0].tolist()
        raise ProcessingError(f"{what}: {place} is no (x, y) in {size[1]} x {size[0]} pixels")


def check_boxes(boxes: np.ndarray, size: tuple[int, int], what: str) -> None:
    """Refuse boxes (objects, 4) that hold nothing of a picture of this height and width."""
    left, top, right, bottom = boxes.T
    inside = (left < right) & (top < bottom) & (left < size[1]) & (top < size[0]) & (right > 0) & (bottom > 0)
    if not inside.all():
        raise ProcessingError(
            f"{what}: {boxes[~inside][0].tolist()} is no (left, top, right, bottom) "
            f"that holds any of {size[1]} x {size[0]} pixels"
        )


def scaled(points: np.ndarray, size: tuple[int, int], longest: int) -> np.ndarray:
    """Points (..., 2) in a picture whose longest edge became `longest`."""
    height, width = longest_edge(size, longest)
    return points * [width / size[1], height / size[0]]


def stacked(found: list[np.ndarray], pad: int, name: str) -> np.ndarray:
    """(batch, objects, ...), with `pad` after the points of a picture that has fewer."""
    if len({len(one) for one in found}) > 1:
        counts = ", ".join(str(len(one)) for one in found)
        raise ProcessingError(f"{name} are of {counts} objects; every picture of a batch needs as many")
    if name == "input_boxes":
        return np.stack(found)
    most = max(one.shape[1] for one in found)
    room = [((0, 0), (0, most - one.shape[1]), *[(0, 0)] * (one.ndim - 2)) for one in found]
    return np.stack([np.pad(one, r, constant_values=pad) for one, r in zip(found, room, strict=True)])
