"""The image processor of Segment Anything: pictures on a square, masks back in their pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import annotations as targets, boxes as found_boxes, geometry, mask_generation
from zoo_vision.processing.base import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    ImageProcessor,
    StandardImageProcessor,
    square,
)
from zoo_vision.processing.parallel import map_items
from zoo_vision.processing.picture import Picture, flat_list, open_picture
from zoo_vision.processing.resample import NEAREST, Size, longest_edge, resize

if TYPE_CHECKING:
    import torch


class MaskProcessing:
    """Brings masks back to the pixels of pictures that were enlarged, then padded to a square."""

    size: Size

    def post_process_masks(
        self,
        masks: Any,
        original_sizes: Any,
        reshaped_input_sizes: Any,
        mask_threshold: float = 0.0,
        binarize: bool = True,
        pad_size: Size | None = None,
        return_tensors: str = "pt",
    ) -> list[torch.Tensor]:
        """Masks in the pixels of the pictures.

        Args:
            masks: per image logits (objects, masks, 256, 256), or one tensor of them.
            original_sizes: (height, width) per image, as ``preprocess`` returned.
            reshaped_input_sizes: the same before padding.
            mask_threshold: logits above it belong to the mask.
            binarize: booleans instead of logits.
            pad_size: size that the model saw; this processor's by default.

        Returns:
            Per image (objects, masks, height, width).
        """
        import torch
        import torch.nn.functional as F

        padded = pad_size or getattr(self, "pad_size", None) or self.size
        found = []
        originals, reshaped = found_boxes.rows(original_sizes), found_boxes.rows(reshaped_input_sizes)
        if not len(masks) == len(originals) == len(reshaped):
            raise ProcessingError(
                f"{len(masks)} masks came with {len(originals)} original_sizes and {len(reshaped)} "
                "reshaped_input_sizes; give one of each per image"
            )
        for one, original, seen in zip(masks, originals, reshaped, strict=True):
            logits = torch.as_tensor(one)
            size = (padded["height"], padded["width"])
            logits = F.interpolate(logits, size, mode="bilinear", align_corners=False)
            logits = logits[..., : seen[0], : seen[1]]
            logits = F.interpolate(logits, original, mode="bilinear", align_corners=False)
            found.append(logits > mask_threshold if binarize else logits)
        return found


class SamImageProcessor(MaskProcessing, StandardImageProcessor):
    """Longest edge 1024, padded to a square; label maps to 256 likewise."""

    call_names: ClassVar[tuple[str, ...]] = (*ImageProcessor.call_names, "segmentation_maps")
    size_fields: ClassVar[tuple[str, ...]] = ("size", "mask_size", "pad_size", "mask_pad_size")
    size: Size = {"longest_edge": 1024}
    mask_size: Size = {"longest_edge": 256}
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD
    do_pad: bool = True
    pad_size: Size = square(1024)
    mask_pad_size: Size = square(256)
    do_convert_rgb: bool = True

    def resized(self, picture: Picture) -> Picture:
        if "longest_edge" not in self.size:
            raise ConfigError(f"size={self.size} must have longest_edge")
        return resize(picture, longest_edge(picture.size, self.size["longest_edge"]), self.resample)

    def preprocess(
        self,
        images: Any,
        segmentation_maps: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values``; ``original_sizes`` and ``reshaped_input_sizes``, (batch, 2) of height and width,
            which ``post_process_masks`` needs; and ``labels`` where ``segmentation_maps`` are given.
        """
        run, call = self.begin(kwargs)
        sources = flat_list(images)

        def one(source: Any) -> tuple[tuple[int, int], Picture]:
            picture = run.opened(source, call)
            return picture.size, run.arrange(picture)

        pairs = map_items(one, sources, threads=call.threads)
        pictures = [picture for _, picture in pairs]
        if run.do_pad:
            size = run.pad_size["height"], run.pad_size["width"]
            values: Any = run.finish_padded(pictures, call, size=size)[0]
        else:
            values = run.finish(pictures, call)
        data = {
            "pixel_values": values,
            "original_sizes": [size for size, _ in pairs],
            "reshaped_input_sizes": [picture.size for picture in pictures],
        }
        out = self.batch(data, call.return_tensors)
        if segmentation_maps is not None:
            maps = segmentation_maps if isinstance(segmentation_maps, (list, tuple)) else [segmentation_maps]
            if len(maps) != len(sources):
                raise ProcessingError(f"{len(sources)} images came with {len(maps)} segmentation maps")
            labels = [run.label(one) for one in maps]
            out["labels"] = BatchFeature({"labels": labels}, call.return_tensors)["labels"]
        return out

    def label(self, source: Any) -> np.ndarray:
        """One label map at ``mask_size``, padded to ``mask_pad_size``."""
        picture = targets.label_map(source)
        if self.do_resize:
            picture = resize(picture, longest_edge(picture.size, self.mask_size["longest_edge"]), NEAREST)
        if self.do_pad:
            height, width = picture.size
            down, right = self.mask_pad_size["height"] - height, self.mask_pad_size["width"] - width
            picture = geometry.pad(picture, bottom=down, right=right)
        return picture.array()[:, :, 0].astype(np.int64)

    def seen_size(self, size: tuple[int, int], target_size: int) -> tuple[int, int]:
        """(height, width) that a picture of `size` has before it is padded to `target_size`."""
        return longest_edge(size, target_size)

    def generate_crop_boxes(
        self,
        image: Any,
        target_size: int,
        crop_n_layers: int = 0,
        overlap_ratio: float = 512 / 1500,
        points_per_crop: int = 32,
        crop_n_points_downscale_factor: int = 1,
        **kwargs: Any,
    ) -> tuple[Any, Any, list[np.ndarray], Any]:
        """Crops of a picture and grids of points to prompt with.

        Args:
            image: one picture.
            target_size: longest side that the model sees.
            crop_n_layers: 0 for the whole picture alone; each layer has twice as many crops per side.
            overlap_ratio: part of the shorter side that neighbouring crops share.
            points_per_crop: points along each side of a crop's grid.
            crop_n_points_downscale_factor: by which each layer's grid is coarser.

        Returns:
            Boxes (crops, 4), points (crops, points, 1, 2) in the model's pixels, the crops, and labels
            (crops, points, 1) of ones.
        """
        import torch

        picture = open_picture(image, input_data_format=kwargs.get("input_data_format"))
        boxes = mask_generation.crop_boxes(picture.size, crop_n_layers, overlap_ratio)
        tall, wide = self.seen_size(picture.size, target_size)
        count = max(1, points_per_crop // crop_n_points_downscale_factor**crop_n_layers)
        points = np.tile(mask_generation.point_grid(count) * [wide, tall], (len(boxes), 1, 1))[:, :, None]
        pixels = picture.array()
        crops = [pixels[top:bottom, left:right] for left, top, right, bottom in boxes]
        labels = torch.ones(points.shape[:3], dtype=torch.int64)
        return torch.tensor(boxes, dtype=torch.float32), torch.from_numpy(points), crops, labels

    def filter_masks(
        self,
        masks: torch.Tensor,
        iou_scores: torch.Tensor,
        original_size: Any,
        cropped_box_image: Any,
        pred_iou_thresh: float = 0.88,
        stability_score_thresh: float = 0.95,
        mask_threshold: float = 0.0,
        stability_score_offset: float = 1.0,
    ) -> tuple[list[dict[str, Any]], torch.Tensor, torch.Tensor]:
        """The sure and stable masks of one crop; see ``mask_generation.good_masks``."""
        return mask_generation.good_masks(
            masks,
            iou_scores,
            (int(original_size[0]), int(original_size[1])),
            cropped_box_image,
            least_quality=pred_iou_thresh,
            least_stability=stability_score_thresh,
            threshold=mask_threshold,
            offset=stability_score_offset,
        )

    def post_process_for_mask_generation(
        self, all_masks: Any, all_scores: torch.Tensor, all_boxes: torch.Tensor, crops_nms_thresh: float
    ) -> tuple[list[np.ndarray], torch.Tensor, list[dict[str, Any]], torch.Tensor]:
        """Masks, scores, run lengths and boxes of all crops without those that repeat a better one."""
        return mask_generation.without_repeats(all_masks, all_scores, all_boxes, crops_nms_thresh)
