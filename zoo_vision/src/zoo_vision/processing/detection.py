"""Image processors of detectors: pictures and annotations in, padded batches and targets out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import annotations as targets, boxes as found_boxes, segments
from zoo_vision.processing.base import IMAGENET_MEAN, IMAGENET_STD, StandardImageProcessor, shortest, square
from zoo_vision.processing.parallel import map_items
from zoo_vision.processing.picture import Picture, flat_list
from zoo_vision.processing.resample import Size, edges, resize

if TYPE_CHECKING:
    import torch

Detections = list[dict[str, "torch.Tensor"]]


class DetrImageProcessor(StandardImageProcessor):
    """Shortest edge 800, longest at most 1333, padded to the largest of the batch (DETR)."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "pixel_mask"]
    call_names: ClassVar[tuple[str, ...]] = (
        *StandardImageProcessor.call_names,
        "annotations",
        "return_segmentation_masks",
        "masks_path",
    )
    renamed: ClassVar[dict[str, str]] = {"pad_and_return_pixel_mask": "do_pad"}
    with_mask: ClassVar[bool] = True
    format: str = targets.DETECTION
    size: Size = shortest(800, 1333)
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD
    do_convert_annotations: bool | None = True
    do_pad: bool = True
    pad_size: Size | None = None

    def __init__(self, **values: Any) -> None:
        limit = values.pop("max_size", None)
        if values.get("do_convert_annotations", True) is None:
            values["do_convert_annotations"] = values.get("do_normalize", True)
        super().__init__(**values)
        if limit is not None and "shortest_edge" in self.size:
            self.size = shortest(self.size["shortest_edge"], limit)

    def preprocess(
        self,
        images: Any,
        annotations: Any = None,
        *,
        return_segmentation_masks: bool | None = None,
        masks_path: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch, and its targets where annotations are given.

        Args:
            images: see ``ImageProcessor.preprocess``.
            annotations: one COCO dictionary per image, of detection (``image_id``, ``annotations``) or, with
                ``format="coco_panoptic"``, panoptic (``image_id``, ``file_name``, ``segments_info``).
            return_segmentation_masks: also return a mask per object; only panoptic targets do so unasked.
            masks_path: folder of the panoptic PNG files.

        Returns:
            ``pixel_values`` (batch, 3, height, width), ``pixel_mask`` (batch, height, width), and ``labels``:
            per image ``boxes`` (centre, size; relative), ``class_labels``, ``area``, ``iscrowd``,
            ``image_id``, ``size``, ``orig_size`` and, where asked for, ``masks``.
        """
        run, call = self.begin(kwargs)
        sources = flat_list(images)
        notes = [annotations] if isinstance(annotations, dict) else annotations
        if notes is not None and len(notes) != len(sources):
            raise ProcessingError(
                f"{len(sources)} images came with {len(notes)} annotations; give one per image"
            )

        def one(entry: tuple[Any, Any]) -> tuple[Picture, targets.Target | None]:
            picture = run.opened(entry[0], call)
            target = run.target(entry[1], picture.size, return_segmentation_masks, masks_path)
            arranged = run.arrange(picture)
            if target is not None:
                target = targets.resize_target(target, picture.size, arranged.size)
                if run.do_convert_annotations:
                    target = targets.relative_boxes(target, arranged.size)
            return arranged, target

        pairs = map_items(
            one, list(zip(sources, notes or [None] * len(sources), strict=True)), threads=call.threads
        )
        pictures = [picture for picture, _ in pairs]
        made = [target for _, target in pairs if target is not None]
        data: dict[str, Any] = {}
        if run.do_pad:
            size = (run.pad_size["height"], run.pad_size["width"]) if run.pad_size else None
            values, mask = run.finish_padded(pictures, call, size=size)
            data["pixel_values"] = values
            if run.with_mask:
                data["pixel_mask"] = mask
            extent = mask.shape[1], mask.shape[2]
            relative = bool(run.do_convert_annotations)
            made = [
                targets.pad_target(target, picture.size, extent, relative=relative)
                for target, picture in zip(made, pictures, strict=False)
            ]
        else:
            data["pixel_values"] = run.finish(pictures, call)
        out = self.batch(data, call.return_tensors, listed=("pixel_values", "pixel_mask"))
        if notes is not None:
            out["labels"] = [BatchFeature(target, call.return_tensors) for target in made]
        return out

    def target(self, note: Any, size: tuple[int, int], masks: bool | None, masks_path: Any) -> Any:
        """The target of one picture in its own pixels; None without annotation."""
        if note is None:
            return None
        kind = str(getattr(self.format, "value", self.format))
        if kind == targets.DETECTION:
            return targets.detection_target(note, size, masks=bool(masks))
        if kind == targets.PANOPTIC:
            return targets.panoptic_target(note, size, masks_path, masks=masks is not False)
        raise ProcessingError(
            f"format={kind!r} is unknown; use {targets.DETECTION!r} or {targets.PANOPTIC!r}"
        )

    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.5, target_sizes: Any = None
    ) -> Detections:
        """Boxes of one forward pass.

        Args:
            outputs: ``logits`` (batch, queries, classes + 1) and ``pred_boxes`` (centre, size; relative).
            threshold: lowest score.
            target_sizes: (height, width) per image; boxes stay relative without it.

        Returns:
            Per image ``scores``, ``labels`` and ``boxes`` as corners (x0, y0, x1, y1).
        """
        return found_boxes.softmax_detections(outputs, threshold, target_sizes)

    def post_process_semantic_segmentation(
        self, outputs: Any, target_sizes: Any = None
    ) -> list[torch.Tensor]:
        """The class of every pixel, (height, width) per image, from ``logits`` and ``pred_masks``."""
        return segments.query_semantic_maps(outputs.logits, outputs.pred_masks, target_sizes)

    def post_process_instance_segmentation(
        self,
        outputs: Any,
        threshold: float = 0.5,
        mask_threshold: float = 0.5,
        overlap_mask_area_threshold: float = 0.8,
        target_sizes: Any = None,
        return_coco_annotation: bool | None = False,
    ) -> list[dict[str, Any]]:
        """Segments of single objects: per image ``segmentation`` and ``segments_info``."""
        found = self.post_process_panoptic_segmentation(
            outputs, threshold, mask_threshold, overlap_mask_area_threshold, set(), target_sizes
        )
        if return_coco_annotation:
            for one in found:
                one["segmentation"] = segments.run_length_codes(one["segmentation"])
        return found

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
        return segments.panoptic_segments(
            outputs.logits,
            outputs.pred_masks,
            threshold=threshold,
            mask_threshold=mask_threshold,
            overlap_threshold=overlap_mask_area_threshold,
            fused=label_ids_to_fuse,
            target_sizes=target_sizes,
        )


class ConditionalDetrImageProcessor(DetrImageProcessor):
    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.5, target_sizes: Any = None, top_k: int = 100
    ) -> Detections:
        """As DETR's, from sigmoid scores of the ``top_k`` pairs of query and class."""
        return found_boxes.sigmoid_detections(outputs, threshold, target_sizes, top_k)


class DeformableDetrImageProcessor(ConditionalDetrImageProcessor):
    pass


class GroundingDinoImageProcessor(DetrImageProcessor):
    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.1, target_sizes: Any = None
    ) -> Detections:
        """As DETR's, from the best sigmoid score of each query."""
        return found_boxes.best_class_detections(outputs, threshold, target_sizes)


class DetaImageProcessor(DetrImageProcessor):
    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.5, target_sizes: Any = None, nms_threshold: float = 0.7
    ) -> Detections:
        """Sigmoid scores after suppressing boxes that overlap a better one of their class."""
        found_boxes.check_sizes(target_sizes, len(outputs.logits))
        chances = outputs.logits.sigmoid()
        classes = chances.shape[2]
        corners = found_boxes.to_pixels(found_boxes.corners(outputs.pred_boxes), target_sizes)
        found = []
        for image, own in zip(chances, corners, strict=True):
            scores, flat = image.flatten().topk(min(10_000, image.numel()))
            labels, places = flat % classes, own[flat // classes]
            keep = found_boxes.suppress_by_class(places, scores, labels, nms_threshold)[:100]
            keep = keep[scores[keep] > threshold]
            found.append({"scores": scores[keep], "labels": labels[keep], "boxes": places[keep]})
        return found


class YolosImageProcessor(DetrImageProcessor):
    """Sides are multiples of 16."""

    with_mask = False

    def resized(self, picture: Picture) -> Picture:
        size = self.size
        if "shortest_edge" not in size:
            return super().resized(picture)
        height, width = edges(picture.size, size["shortest_edge"], size.get("longest_edge"))
        return resize(picture, (height - height % 16, width - width % 16), self.resample)


class RTDetrImageProcessor(DetrImageProcessor):
    size: Size = square(640)
    do_normalize: bool = False
    do_pad: bool = False

    def post_process_object_detection(
        self,
        outputs: Any,
        threshold: float = 0.5,
        target_sizes: Any = None,
        use_focal_loss: bool = True,
    ) -> Detections:
        """As DETR's; with ``use_focal_loss`` from sigmoid scores of pairs of query and class."""
        if not use_focal_loss:
            return found_boxes.softmax_detections(outputs, threshold, target_sizes)
        return found_boxes.sigmoid_detections(outputs, threshold, target_sizes, outputs.logits.shape[1])
