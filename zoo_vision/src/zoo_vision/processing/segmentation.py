"""Image processors of segmenters with queries: MaskFormer, Mask2Former, EoMT."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import annotations as targets, geometry, segments
from zoo_vision.processing.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    StandardImageProcessor,
    format_name,
    shortest,
)
from zoo_vision.processing.eomt import EomtOutputs
from zoo_vision.processing.picture import LAST, Picture, flat_list
from zoo_vision.processing.resample import Size, edges, resize, target_size

if TYPE_CHECKING:
    import torch


class MaskFormerImageProcessor(StandardImageProcessor):
    """Sides up to multiples of ``size_divisor``; label maps become one mask per label."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "pixel_mask"]
    call_names: ClassVar[tuple[str, ...]] = (
        *StandardImageProcessor.call_names,
        "segmentation_maps",
        "instance_id_to_semantic_id",
    )
    renamed: ClassVar[dict[str, str]] = {
        "size_divisibility": "size_divisor",
        "reduce_labels": "do_reduce_labels",
    }
    size: Size = shortest(800, 1333)
    size_divisor: int = 32
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD
    ignore_index: int | None = None
    do_reduce_labels: bool = False
    num_labels: int | None = None
    pad_size: Size | None = None

    def __init__(self, **values: Any) -> None:
        limit = values.pop("max_size", None)
        super().__init__(**values)
        if limit is not None and "shortest_edge" in self.size:
            self.size = shortest(self.size["shortest_edge"], limit)

    def resized(self, picture: Picture) -> Picture:
        return resize(picture, self.divisible(target_size(picture.size, self.size)), self.resample)

    def divisible(self, size: tuple[int, int]) -> tuple[int, int]:
        """``size`` rounded up to multiples of ``size_divisor``."""
        divisor = self.size_divisor or 1
        return -(-size[0] // divisor) * divisor, -(-size[1] // divisor) * divisor

    def preprocess(
        self,
        images: Any,
        segmentation_maps: Any = None,
        instance_id_to_semantic_id: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch, and its masks where label maps are given.

        Args:
            images: see ``ImageProcessor.preprocess``.
            segmentation_maps: per image one number per pixel: a class, or an instance.
            instance_id_to_semantic_id: instance -> class, one dictionary for all or one per image.

        Returns:
            ``pixel_values``, ``pixel_mask``, and per image ``mask_labels`` (labels, height, width) and
            ``class_labels`` (labels,).
        """
        run, call = self.begin(kwargs)
        pictures = run.open_all(flat_list(images), call, run.arrange)
        pad = run.pad_size
        values, mask = run.finish_padded(
            pictures,
            call,
            size=(pad["height"], pad["width"]) if pad else None,
        )
        return run.join(values, mask, segmentation_maps, instance_id_to_semantic_id, call.return_tensors)

    def encode_inputs(
        self,
        pixel_values_list: Sequence[Any],
        segmentation_maps: Any = None,
        instance_id_to_semantic_id: Any = None,
        ignore_index: int | None = None,
        do_reduce_labels: bool = False,
        return_tensors: Any = None,
        input_data_format: Any = None,
        pad_size: Size | None = None,
    ) -> BatchFeature:
        """Pad images that are prepared already, arrays (channels, height, width); else as ``preprocess``."""
        changes = {"ignore_index": ignore_index, "do_reduce_labels": do_reduce_labels, "pad_size": pad_size}
        run = self.adjusted({**changes, "do_resize": False})
        arrays = [np.asarray(image) for image in pixel_values_list]
        if input_data_format is not None and format_name(input_data_format) == LAST:
            arrays = [np.moveaxis(array, -1, 0) for array in arrays]
        if not arrays or any(array.ndim != 3 for array in arrays):
            shapes = [array.shape for array in arrays]
            raise ProcessingError(f"images must be arrays (channels, height, width), got shapes {shapes}")
        sizes = [(array.shape[1], array.shape[2]) for array in arrays]
        pad = run.pad_size
        height, width = (pad["height"], pad["width"]) if pad else geometry.largest(sizes)
        values = np.zeros((len(arrays), len(arrays[0]), height, width), dtype=arrays[0].dtype)
        mask = np.zeros((len(arrays), height, width), dtype=np.int64)
        for array, (rows, columns), place, covered in zip(arrays, sizes, values, mask, strict=True):
            place[:, :rows, :columns], covered[:rows, :columns] = array, 1
        return run.join(values, mask, segmentation_maps, instance_id_to_semantic_id, return_tensors)

    def join(
        self, values: np.ndarray, mask: np.ndarray, maps: Any, mapping: Any, return_tensors: Any
    ) -> BatchFeature:
        """A padded batch with its mask and, where there are label maps, with their masks and classes."""
        data = {"pixel_values": values, "pixel_mask": mask}
        out = self.batch(data, return_tensors, listed=("pixel_values", "pixel_mask"))
        if maps is not None:
            found = self.masks(maps, mapping, len(values), (mask.shape[1], mask.shape[2]))
            for name, arrays in zip(("mask_labels", "class_labels"), found, strict=True):
                out[name] = [BatchFeature({"one": array}, return_tensors)["one"] for array in arrays]
        return out

    def masks(
        self, maps: Any, mapping: Any, count: int, extent: tuple[int, int]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Per image the masks (labels, height, width), padded to ``extent``, and the class of each."""
        listed = list(maps) if isinstance(maps, (list, tuple)) or getattr(maps, "ndim", 2) == 3 else [maps]
        if len(listed) != count:
            raise ProcessingError(
                f"{count} images came with {len(listed)} segmentation maps; give one per image"
            )
        masks, labels = [], []
        for index, source in enumerate(listed):
            picture = targets.label_map(source)
            if self.do_resize:
                picture = resize(picture, self.divisible(target_size(picture.size, self.size)), 0)
            array = picture.array()[:, :, 0].astype(np.int64)
            if self.do_reduce_labels:
                if self.ignore_index is None:
                    raise ProcessingError("do_reduce_labels needs ignore_index, which replaces the label 0")
                array = np.where(array == 0, self.ignore_index, array - 1)
            own = mapping[index] if isinstance(mapping, (list, tuple)) else mapping
            found, classes = self.binary_masks(array, own)
            border = ((0, 0), (0, extent[0] - array.shape[0]), (0, extent[1] - array.shape[1]))
            masks.append(np.pad(found, border, constant_values=self.ignore_index or 0))
            labels.append(classes)
        return masks, labels

    def binary_masks(self, array: np.ndarray, mapping: Any) -> tuple[np.ndarray, np.ndarray]:
        """One mask per label of ``array`` other than the ignored one, and the labels' classes."""
        shift = int(self.do_reduce_labels)
        present = [int(label) for label in np.unique(array) if label != self.ignore_index]
        masks = np.zeros((len(present), *array.shape), dtype=np.float32)
        for place, label in zip(masks, present, strict=True):
            place[:] = array == label
        if mapping is not None:
            missing = [label + shift for label in present if label + shift not in mapping]
            if missing:
                raise ProcessingError(f"instance_id_to_semantic_id has no entry for {missing}")
            present = [mapping[label + shift] - shift for label in present]
        return masks, np.asarray(present, dtype=np.int64)

    def query_outputs(self, outputs: Any) -> tuple[Any, Any]:
        """Class logits (batch, queries, classes + 1) and mask logits (batch, queries, height, width)."""
        return outputs.class_queries_logits, outputs.masks_queries_logits

    def post_process_semantic_segmentation(
        self, outputs: Any, target_sizes: Any = None
    ) -> list[torch.Tensor]:
        """The class of every pixel, (height, width) per image."""
        return segments.query_semantic_maps(*self.query_outputs(outputs), target_sizes)

    def post_process_instance_segmentation(
        self,
        outputs: Any,
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        target_sizes: Any = None,
        return_coco_annotation: bool | None = False,
        return_binary_maps: bool | None = False,
    ) -> list[dict[str, Any]]:
        """Segments of single objects: per image ``segmentation`` and ``segments_info``."""
        if return_coco_annotation and return_binary_maps:
            raise ProcessingError("return_coco_annotation and return_binary_maps exclude each other")
        classes, masks = self.query_outputs(outputs)
        return segments.instance_segments(
            classes,
            masks,
            threshold=threshold,
            target_sizes=target_sizes,
            run_lengths=bool(return_coco_annotation),
            binary_maps=bool(return_binary_maps),
        )

    def post_process_panoptic_segmentation(
        self,
        outputs: Any,
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        label_ids_to_fuse: Any = None,
        target_sizes: Any = None,
    ) -> list[dict[str, Any]]:
        """A map of segment numbers and what they are: per image ``segmentation`` and ``segments_info``."""
        classes, masks = self.query_outputs(outputs)
        return segments.panoptic_segments(
            classes,
            masks,
            threshold=threshold,
            mask_threshold=mask_threshold,
            overlap_threshold=overlap_mask_area_threshold,
            fused=label_ids_to_fuse,
            target_sizes=target_sizes,
        )


class Mask2FormerImageProcessor(MaskFormerImageProcessor):
    """Mask logits are brought to 384 x 384 before anything is decided."""

    def query_outputs(self, outputs: Any) -> tuple[Any, Any]:
        classes, masks = super().query_outputs(outputs)
        return classes, segments.scaled(masks, (384, 384))


class EomtImageProcessor(EomtOutputs, MaskFormerImageProcessor):  # type: ignore[misc]
    """Within 640 x 640; on request padded, or cut into overlapping squares."""

    model_input_names: ClassVar[list[str]] = ["pixel_values"]
    size: Size = shortest(640, 640)
    do_split_image: bool = False
    do_pad: bool = False
    size_divisor: ClassVar[int] = 1  # type: ignore[misc]
    do_reduce_labels: ClassVar[bool] = False  # type: ignore[misc]
    pad_size: ClassVar[None] = None  # type: ignore[misc]

    def resized(self, picture: Picture) -> Picture:
        size = edges(picture.size, self.size["shortest_edge"], self.size.get("longest_edge"))
        return resize(picture, size, self.resample)

    def preprocess(
        self, images: Any, segmentation_maps: Any = None, *args: Any, **kwargs: Any
    ) -> BatchFeature:
        """As MaskFormer's, without ``pixel_mask``; with ``do_split_image`` also ``patch_offsets``."""
        if segmentation_maps is not None:
            out = super().preprocess(images, segmentation_maps, *args, **kwargs)
            out.pop("pixel_mask", None)
            return out
        run, call = self.begin(kwargs)
        pictures = run.open_all(flat_list(images), call, run.arrange)
        offsets: list[list[int]] = []
        if run.do_split_image:
            pictures, offsets = run.split(pictures)
        if run.do_pad:
            extent = run.size["shortest_edge"], run.size.get("longest_edge", run.size["shortest_edge"])
            pictures = [
                geometry.pad(
                    picture,
                    bottom=max(0, extent[0] - picture.size[0]),
                    right=max(0, extent[1] - picture.size[1]),
                )
                for picture in pictures
            ]
        out = self.batch({"pixel_values": run.finish(pictures, call)}, call.return_tensors)
        if run.do_split_image:
            out["patch_offsets"] = [self.batch({"one": one}, call.return_tensors)["one"] for one in offsets]
        return out

    def split(self, pictures: Sequence[Picture]) -> tuple[list[Picture], list[list[int]]]:
        """Overlapping squares along the longer side, and of each (picture, start, end)."""
        parts, offsets = [], []
        for index, picture in enumerate(pictures):
            height, width = picture.size
            side, long = self.size["shortest_edge"], max(height, width)
            count = max(math.ceil(long / side), 1)
            overlap = (count * side - long) / (count - 1) if count > 1 else 0.0
            for number in range(count):
                start = int(number * (side - overlap))
                end = start + side
                length = min(end, long) - start
                crop = (start, 0, length, width) if height > width else (0, start, height, length)
                parts.append(geometry.crop(picture, *crop))
                offsets.append([index, start, end])
        return parts, offsets
