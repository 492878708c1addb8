"""Image processors of keypoint models: SuperPoint, SuperGlue, LightGlue, EfficientLoFTR, ViTPose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing.base import IMAGENET_MEAN, IMAGENET_STD, Call, ImageProcessor
from zoo_vision.processing.boxes import check_sizes, rows
from zoo_vision.processing.parallel import map_items, split
from zoo_vision.processing.picture import FIRST, Picture, check_area, flat_list
from zoo_vision.processing.resample import BILINEAR, Size

if TYPE_CHECKING:
    import torch


class SuperPointImageProcessor(ImageProcessor):
    """Pictures of 480 x 640, grey where asked for (three equal channels)."""

    do_resize: bool = True
    size: Size = {"height": 480, "width": 640}
    resample: int = BILINEAR
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_grayscale: bool = False

    def finish(self, pictures: Sequence[Picture], call: Call) -> np.ndarray | list[np.ndarray]:
        if not self.do_grayscale:
            return super().finish(pictures, call)
        values = super().finish(pictures, replace(call, data_format=FIRST))
        grey = [greyed(one) for one in values]
        if call.order != FIRST:
            grey = [one.transpose(1, 2, 0) for one in grey]
        return np.stack(grey) if len({one.shape for one in grey}) == 1 else grey

    def post_process_keypoint_detection(
        self, outputs: Any, target_sizes: Any
    ) -> list[dict[str, torch.Tensor]]:
        """Keypoints in pixels.

        Args:
            outputs: ``keypoints`` (relative x, y), ``scores``, ``descriptors``, ``mask``: (batch, points, …).
            target_sizes: (height, width) per image.

        Returns:
            Per image ``keypoints`` (points, 2) of int32, ``scores`` and ``descriptors``.
        """
        import torch

        check_sizes(target_sizes, len(outputs.mask))
        found = []
        for index, (height, width) in enumerate(rows(target_sizes)):
            kept = outputs.mask[index].nonzero().squeeze(1)
            scale = torch.tensor([width, height], device=outputs.keypoints.device)
            points = outputs.keypoints[index] * scale
            found.append(
                {
                    "keypoints": points[kept].to(torch.int32),
                    "scores": outputs.scores[index][kept],
                    "descriptors": outputs.descriptors[index][kept],
                }
            )
        return found


def greyed(values: np.ndarray) -> np.ndarray:
    """(3, height, width) with each channel the luma of ITU-R 601; grey pictures are left alone."""
    if (values[0] == values[1]).all() and (values[1] == values[2]).all():
        return values
    grey = values[0] * 0.2989 + values[1] * 0.5870 + values[2] * 0.1140
    return np.stack([grey] * 3).astype(values.dtype)


class PairImageProcessor(SuperPointImageProcessor):
    """Pictures in pairs: (pairs, 2, 3, height, width)."""

    do_grayscale: bool = True

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare pairs of pictures: one pair, or a list of pairs.

        Raises:
            ProcessingError: something else than pairs; names the pair.
        """
        pairs = images if isinstance(images, (list, tuple)) else [images]
        if not any(isinstance(pair, (list, tuple)) for pair in pairs):
            pairs = [pairs]
        for index, pair in enumerate(pairs):
            if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                count = len(pair) if isinstance(pair, (list, tuple)) else 1
                raise ProcessingError(
                    f"pair {index} has {count} image{'s' * (count != 1)}; pass two images, or a list of pairs"
                )
        run, call = self.begin(kwargs)
        flat = [image for pair in pairs for image in pair]
        pictures = run.open_all(flat, call, run.arrange)
        values = run.finish(pictures, call)
        if isinstance(values, np.ndarray):
            return BatchFeature(
                {"pixel_values": list(values.reshape(-1, 2, *values.shape[1:]))}, call.return_tensors
            )
        return BatchFeature({"pixel_values": split(values, [2] * len(pairs))}, call.return_tensors)

    def post_process_keypoint_matching(
        self, outputs: Any, target_sizes: Any, threshold: float = 0.0
    ) -> list[dict[str, torch.Tensor]]:
        """Matched keypoints in pixels.

        Args:
            outputs: ``keypoints`` (pairs, 2, points, 2; relative x, y), ``matches`` (pairs, 2, points; -1 for
                none), ``matching_scores`` and ``mask``.
            target_sizes: per pair the (height, width) of both images.
            threshold: lowest score.

        Returns:
            Per pair ``keypoints0``, ``keypoints1`` (matches, 2; int32) and ``matching_scores``.
        """
        import torch

        check_sizes(target_sizes, len(outputs.mask))
        sizes = torch.as_tensor([[list(map(int, size)) for size in pair] for pair in target_sizes])
        if sizes.shape[1:] != (2, 2):
            raise ProcessingError("target_sizes holds ((height, width), (height, width)) for each pair")
        points = outputs.keypoints * sizes.flip(-1)[:, :, None].to(outputs.keypoints)
        points = points.to(torch.int32)
        found = []
        for index in range(len(sizes)):
            matches, scores, left, right = self.pair_matches(outputs, points, index)
            valid = (scores > threshold) & (matches > -1)
            found.append(
                {
                    "keypoints0": left[valid],
                    "keypoints1": right[matches[valid]],
                    "matching_scores": scores[valid],
                }
            )
        return found

    def pair_matches(self, outputs: Any, points: torch.Tensor, index: int) -> tuple[Any, Any, Any, Any]:
        """Matches and scores of the first picture's points, and the points of both."""
        mask = outputs.mask[index] > 0
        left, right = points[index][0][mask[0]], points[index][1][mask[1]]
        return outputs.matches[index, 0][mask[0]], outputs.matching_scores[index, 0][mask[0]], left, right


class SuperGlueImageProcessor(PairImageProcessor):
    pass


class LightGlueImageProcessor(PairImageProcessor):
    pass


class EfficientLoFTRImageProcessor(PairImageProcessor):
    def post_process_keypoint_matching(
        self, outputs: Any, target_sizes: Any, threshold: float = 0.0
    ) -> list[dict[str, torch.Tensor]]:
        """As the base's; point i of one picture matches point i of the other."""
        import torch

        check_sizes(target_sizes, len(outputs.matches))
        sizes = torch.as_tensor([[list(map(int, size)) for size in pair] for pair in target_sizes])
        points = (outputs.keypoints * sizes.flip(-1)[:, :, None].to(outputs.keypoints)).to(torch.int32)
        found = []
        for pair, matches, scores in zip(points, outputs.matches, outputs.matching_scores, strict=True):
            left, right = ((scores[side] > threshold) & (matches[side] > -1) for side in (0, 1))
            found.append(
                {
                    "keypoints0": pair[0][left],
                    "keypoints1": pair[1][right],
                    "matching_scores": scores[0][left],
                }
            )
        return found


# Poses


def box_frame(box: Any, width: int, height: int, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Centre (x, y) and extent in ``unit`` pixels of a box (x, y, width, height) grown to an aspect ratio."""
    left, top, wide, tall = (float(side) for side in box)
    centre = np.asarray([left + wide * 0.5, top + tall * 0.5], dtype=np.float32)
    ratio = width / height
    if wide > ratio * tall:
        tall = wide / ratio
    elif wide < ratio * tall:
        wide = tall * ratio
    return centre, np.asarray([wide / unit, tall / unit], dtype=np.float32) * np.float32(1.25)


def sampled(array: np.ndarray, across: np.ndarray, down: np.ndarray) -> np.ndarray:
    """Bilinear samples of (height, width, channels) at columns ``across`` and rows ``down``; zero outside."""
    height, width = array.shape[:2]
    inside = ((down >= 0) & (down <= height - 1))[:, None] & ((across >= 0) & (across <= width - 1))[None]
    y, x = np.clip(down, 0, height - 1), np.clip(across, 0, width - 1)
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    below, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    fy, fx = (y - top)[:, None, None], (x - left)[None, :, None]
    values = array.astype(np.float64)
    upper = values[top][:, left] * (1 - fx) + values[top][:, right] * fx
    lower = values[below][:, left] * (1 - fx) + values[below][:, right] * fx
    found = (upper * (1 - fy) + lower * fy) * inside[:, :, None]
    return (
        np.floor(found + 0.5).astype(array.dtype) if array.dtype.kind in "ui" else found.astype(array.dtype)
    )


class VitPoseImageProcessor(ImageProcessor):
    """One crop of 256 x 192 for each person's box."""

    call_names: ClassVar[tuple[str, ...]] = (*ImageProcessor.call_names, "boxes")
    do_affine_transform: bool = True
    size: Size = {"height": 256, "width": 192}
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD
    normalize_factor: float = 200.0

    def crop(self, picture: Picture, box: Any) -> Picture:
        """What lies in the box, at ``size``."""
        height, width = self.size["height"], self.size["width"]
        check_area(height, width, "the crop")
        centre, extent = box_frame(box, width, height, self.normalize_factor)
        pixels = extent * np.float32(200.0)
        if not np.isfinite(pixels).all() or (pixels <= 0).any():
            raise ProcessingError(
                f"the box {[float(side) for side in box]} has no area; boxes are (x, y, w, h)"
            )
        # The map from picture to crop is rounded to float32 before it is inverted: levels depend on it.
        exact = np.asarray([width - 1.0, height - 1.0]) / pixels.astype(np.float64)
        moved = np.float32(0.5) * pixels - centre
        shift = (exact * moved.astype(np.float64)).astype(np.float32).astype(np.float64)
        zoom = exact.astype(np.float32).astype(np.float64)
        across = np.arange(width) / zoom[0] - shift[0] / zoom[0]
        down = np.arange(height) / zoom[1] - shift[1] / zoom[1]
        return Picture(sampled(picture.array(), across, down), picture.scale)

    def preprocess(
        self,
        images: Any,
        boxes: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare the people of a batch.

        Args:
            images: see ``ImageProcessor.preprocess``.
            boxes: per image its people's boxes (x, y, width, height) in pixels.

        Returns:
            ``pixel_values`` (people, 3, height, width), image by image.

        Raises:
            ProcessingError: numbers that do not agree, or a box outside its picture.
        """
        run, call = self.begin(kwargs)
        sources = flat_list(images)
        if boxes is None:
            raise ProcessingError("ViTPose needs boxes: per image its people's (x, y, width, height)")
        if len(boxes) != len(sources):
            raise ProcessingError(
                f"{len(sources)} images came with boxes for {len(boxes)}; give one list per image"
            )

        def one(entry: tuple[Any, Any]) -> list[Picture]:
            picture = run.opened(entry[0], call)
            height, width = picture.size
            for number, box in enumerate(entry[1]):
                left, top, wide, tall = (float(side) for side in box)
                if left >= width or top >= height or left + wide <= 0 or top + tall <= 0:
                    raise ProcessingError(
                        f"box {number} {[left, top, wide, tall]} lies outside the picture of {width}x{height}"
                    )
            if not run.do_affine_transform:
                return [picture]
            return [run.crop(picture, box) for box in entry[1]]

        people = map_items(one, list(zip(sources, boxes, strict=True)), threads=call.threads)
        pictures = [person for image in people for person in image]
        values = run.finish(pictures, call)
        return self.batch({"pixel_values": values}, call.return_tensors)

    def post_process_pose_estimation(
        self,
        outputs: Any,
        boxes: Any,
        kernel_size: int = 11,
        threshold: float | None = None,
        target_sizes: Any = None,
    ) -> list[list[dict[str, torch.Tensor]]]:
        """Keypoints in pixels, refined below a heat map's grid (DARK, Zhang et al. 2020).

        Args:
            outputs: ``heatmaps`` (people, keypoints, h, w).
            boxes: as given to ``preprocess``.
            kernel_size: width of the smoothing.
            threshold: lowest score of a keypoint.
            target_sizes: (height, width) per image that relative boxes refer to; None for pixels.

        Returns:
            Per image and person ``keypoints`` (points, 2), ``scores``, ``labels`` and ``bbox`` as corners.
        """
        import torch

        from zoo_vision.processing.poses import heatmap_keypoints

        counts = [len(one) for one in boxes]
        heat = outputs.heatmaps.detach().cpu().numpy()
        if sum(counts) != len(heat):
            raise ProcessingError(
                f"{len(heat)} heat maps came with {sum(counts)} boxes; give one box per heat map"
            )
        check_sizes(target_sizes, len(counts))
        flat = []
        for index, one in enumerate(boxes):
            scale = np.ones(4)
            if target_sizes is not None:
                height, width = rows(target_sizes)[index]
                scale = np.asarray([width, height, width, height])
            flat += [np.asarray(box, dtype=np.float64) * scale for box in one]
        points, scores = heatmap_keypoints(heat, kernel_size)
        people = []
        for box, places, sure in zip(flat, points, scores, strict=True):
            centre, extent = box_frame(box, self.size["width"], self.size["height"], self.normalize_factor)
            pixels = extent * np.float32(200.0)
            step = pixels / np.asarray([heat.shape[3] - 1.0, heat.shape[2] - 1.0])
            found = torch.as_tensor(places * step + centre - pixels * 0.5, dtype=torch.float32)
            certain = torch.as_tensor(sure, dtype=torch.float32)
            labels = torch.arange(len(found))
            keep = certain > threshold if threshold is not None else torch.ones(len(found), dtype=torch.bool)
            left, top, wide, tall = box
            frame = [left, top, left + wide, top + tall]
            people.append(
                {
                    "keypoints": found[keep],
                    "scores": certain[keep],
                    "labels": labels[keep],
                    "bbox": torch.as_tensor(frame, dtype=torch.float32),
                }
            )
        return split(people, counts)
