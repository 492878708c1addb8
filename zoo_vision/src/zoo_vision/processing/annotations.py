"""Annotations of detection and segmentation: COCO dictionaries to the targets that models are trained on."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo_core.errors import MissingDependency, ProcessingError
from zoo_vision.processing.picture import Picture, open_picture
from zoo_vision.processing.resample import NEAREST, resize

DETECTION, PANOPTIC = "coco_detection", "coco_panoptic"
Target = dict[str, np.ndarray]
Extent = tuple[int, int]


def need(mapping: Mapping[str, Any], keys: Sequence[str], what: str) -> None:
    """Refuse an annotation that lacks a key."""
    missing = [key for key in keys if key not in mapping]
    if missing:
        raise ProcessingError(f"{what} lacks {', '.join(missing)}; it must have {', '.join(keys)}")


def polygon_masks(segmentations: Sequence[Any], size: Extent) -> np.ndarray:
    """Masks (objects, height, width) of COCO segmentations: polygons, or run-length codes.

    Raises:
        MissingDependency: polygons and compressed codes need pycocotools.
    """
    try:
        coco: Any = importlib.import_module("pycocotools.mask")
    except ImportError as error:
        raise MissingDependency(
            "masks from polygons need pycocotools: pip install 'zoo-vision[coco]'"
        ) from error
    height, width = size
    masks = []
    for polygons in segmentations:
        mask = np.asarray(coco.decode(coco.frPyObjects(polygons, height, width)), dtype=np.uint8)
        masks.append((mask if mask.ndim == 2 else mask.any(axis=2)).astype(np.uint8))
    return np.stack(masks) if masks else np.zeros((0, height, width), dtype=np.uint8)


def detection_target(annotation: Mapping[str, Any], size: Extent, *, masks: bool = False) -> Target:
    """Boxes (corners), classes, areas and crowd flags of one picture, boxes clipped to it.

    Args:
        annotation: ``image_id`` and ``annotations``, each with ``bbox`` (x, y, width, height),
            ``category_id`` and, optionally, ``area``, ``iscrowd``, ``keypoints``, ``segmentation``.
        size: (height, width) of the picture.
        masks: also return a mask per object.

    Raises:
        ProcessingError: a key is missing, or a box lies outside the picture; names the object.
    """
    need(annotation, ("image_id", "annotations"), "an annotation")
    height, width = size
    objects = [one for one in annotation["annotations"] if not one.get("iscrowd")]
    for number, one in enumerate(objects):
        need(one, ("bbox", "category_id"), f"object {number}")
        if len(one["bbox"]) != 4 or any(isinstance(side, str) for side in one["bbox"]):
            raise ProcessingError(f"object {number} has bbox={one['bbox']!r}, not (x, y, width, height)")
    boxes = np.asarray([one["bbox"] for one in objects], dtype=np.float32).reshape(-1, 4)
    if not np.isfinite(boxes).all():
        raise ProcessingError("a bounding box holds NaN or infinity")
    boxes[:, 2:] += boxes[:, :2]
    for number, (left, top, right, bottom) in enumerate(boxes):
        if left >= width or top >= height or right <= 0 or bottom <= 0:
            raise ProcessingError(
                f"the box of object {number}, corners ({left:g}, {top:g}) and ({right:g}, {bottom:g}), lies "
                f"outside the picture of {width}x{height}; bbox is (x, y, width, height) in pixels"
            )
    boxes[:, 0::2] = boxes[:, 0::2].clip(0, width)
    boxes[:, 1::2] = boxes[:, 1::2].clip(0, height)
    keep = (boxes[:, 3] > boxes[:, 1]) & (boxes[:, 2] > boxes[:, 0])
    areas = np.asarray([one.get("area", one["bbox"][2] * one["bbox"][3]) for one in objects], np.float32)
    target = {
        "image_id": np.asarray([annotation["image_id"]], dtype=np.int64),
        "class_labels": np.asarray([one["category_id"] for one in objects], dtype=np.int64)[keep],
        "boxes": boxes[keep],
        "area": areas[keep],
        "iscrowd": np.zeros(len(objects), dtype=np.int64)[keep],
        "orig_size": np.asarray([height, width], dtype=np.int64),
    }
    if objects and "keypoints" in objects[0]:
        points = np.asarray([one["keypoints"] for one in objects], dtype=np.float32)[keep]
        target["keypoints"] = points.reshape(-1, 3)
    if masks:
        target["masks"] = polygon_masks([one.get("segmentation", []) for one in objects], size)[keep]
    return target


def boxes_around(masks: np.ndarray) -> np.ndarray:
    """The corners (x0, y0, x1, y1) of what each mask covers; zeros for an empty one."""
    boxes = np.zeros((len(masks), 4), dtype=np.float32)
    for box, mask in zip(boxes, masks, strict=True):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows):
            box[:] = columns[0], rows[0], columns[-1], rows[-1]
    return boxes


def panoptic_target(
    annotation: Mapping[str, Any], size: Extent, masks_path: str | Path | None, *, masks: bool = True
) -> Target:
    """Boxes, classes and masks of one picture from a COCO panoptic entry and its PNG.

    Raises:
        ProcessingError: a key is missing, or ``file_name`` leaves ``masks_path``.
    """
    need(annotation, ("image_id", "file_name", "segments_info"), "a panoptic annotation")
    if masks_path is None:
        raise ProcessingError("panoptic annotations need masks_path, the folder of their PNG files")
    folder = Path(masks_path).resolve()
    path = (folder / str(annotation["file_name"])).resolve()
    if not path.is_relative_to(folder):
        raise ProcessingError(f"file_name {annotation['file_name']!r} leaves masks_path {folder}")
    colours = open_picture(path).array().astype(np.int64)
    ids = colours[:, :, 0] + 256 * colours[:, :, 1] + 256 * 256 * colours[:, :, 2]
    segments = annotation["segments_info"]
    found = (
        np.stack([ids == segment["id"] for segment in segments]) if segments else np.zeros((0, *ids.shape))
    )
    height, width = size
    target = {
        "image_id": np.asarray([annotation.get("image_id", annotation.get("id"))], dtype=np.int64),
        "class_labels": np.asarray([segment["category_id"] for segment in segments], dtype=np.int64),
        "boxes": boxes_around(found),
        "area": np.asarray([segment["area"] for segment in segments], dtype=np.float32),
        "iscrowd": np.asarray([segment.get("iscrowd", 0) for segment in segments], dtype=np.int64),
        "orig_size": np.asarray([height, width], dtype=np.int64),
    }
    if masks:
        target["masks"] = found.astype(np.uint8)
    return target


def resize_target(target: Target, old: Extent, new: Extent) -> Target:
    """The target of a picture that went from size ``old`` to ``new`` (height, width)."""
    tall, wide = new[0] / old[0], new[1] / old[1]
    found = dict(target)
    if "boxes" in target:
        found["boxes"] = target["boxes"] * np.asarray([wide, tall, wide, tall], dtype=np.float32)
    if "area" in target:
        found["area"] = target["area"] * (wide * tall)
    if "masks" in target:
        shapes = [
            resize(Picture(mask[:, :, None]), new, NEAREST).array()[:, :, 0] for mask in target["masks"]
        ]
        found["masks"] = np.stack(shapes) > 0 if shapes else np.zeros((0, *new), dtype=bool)
    found["size"] = np.asarray(new, dtype=np.int64)
    return found


def relative_boxes(target: Target, size: Extent) -> Target:
    """The target with boxes as centre, width and height relative to the picture."""
    found = dict(target)
    boxes = target["boxes"]
    height, width = size
    centred = np.stack(
        [
            (boxes[:, 0] + boxes[:, 2]) / 2,
            (boxes[:, 1] + boxes[:, 3]) / 2,
            boxes[:, 2] - boxes[:, 0],
            boxes[:, 3] - boxes[:, 1],
        ],
        axis=-1,
    )
    found["boxes"] = (centred / np.asarray([width, height, width, height], np.float32)).astype(np.float32)
    return found


def pad_target(target: Target, old: Extent, new: Extent, *, relative: bool) -> Target:
    """The target of a picture padded at its right and bottom; ``relative`` boxes shrink accordingly."""
    found = dict(target)
    if "masks" in target:
        border = ((0, 0), (0, new[0] - old[0]), (0, new[1] - old[1]))
        found["masks"] = np.pad(target["masks"], border)
    if relative and "boxes" in target:
        tall, wide = old[0] / new[0], old[1] / new[1]
        found["boxes"] = target["boxes"] * np.asarray([wide, tall, wide, tall], dtype=np.float32)
    found["size"] = np.asarray(new, dtype=np.int64)
    return found


def label_map(source: Any) -> Picture:
    """A segmentation map, whatever it was passed as, as a picture of one channel of class numbers."""
    if isinstance(source, Image.Image) and source.mode in ("P", "L", "1"):
        return Picture(np.asarray(source, dtype=np.uint8)[:, :, None])
    if isinstance(source, (str, bytes, Path)):
        return label_map(open_picture(source, mode=None).pixels)
    array = np.asarray(source)
    array = array[0] if array.ndim == 3 and array.shape[0] == 1 else array
    array = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    if array.ndim != 2 or array.dtype.kind not in "uib":
        raise ProcessingError(
            f"a segmentation map holds one class number per pixel, got shape {array.shape} of {array.dtype}"
        )
    return Picture(array[:, :, None])


def reduce_labels(labels: np.ndarray) -> np.ndarray:
    """Class numbers one lower, the background (0) as 255, which losses ignore."""
    reduced = labels.copy()
    reduced[reduced == 0] = 255
    reduced = reduced - 1
    reduced[reduced == 254] = 255
    return reduced
