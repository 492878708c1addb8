"""The image processor of Segment Anything 2: pictures stretched to a square, masks back in their pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import annotations as targets, boxes as found_boxes
from zoo_vision.processing.base import square
from zoo_vision.processing.picture import Picture
from zoo_vision.processing.resample import NEAREST, Size, resize, target_size
from zoo_vision.processing.sam import SamImageProcessor
from zoo_vision.processing.segments import scaled

if TYPE_CHECKING:
    import torch


class Sam2ImageProcessor(SamImageProcessor):
    """1024 x 1024, whatever the shape; label maps to 256 x 256."""

    size_fields: ClassVar[tuple[str, ...]] = ("size", "mask_size")
    size: Size = square(1024)
    mask_size: Size = square(256)
    do_pad: ClassVar[bool] = False  # type: ignore[misc]
    pad_size: ClassVar[None] = None  # type: ignore[misc]
    mask_pad_size: ClassVar[None] = None  # type: ignore[misc]

    def resized(self, picture: Picture) -> Picture:
        return resize(picture, target_size(picture.size, self.size), self.resample)

    def preprocess(self, images: Any, segmentation_maps: Any = None, **kwargs: Any) -> BatchFeature:
        """As SAM's; as released, ``reshaped_input_sizes`` are the original ones."""
        out = super().preprocess(images, segmentation_maps, **kwargs)
        out["reshaped_input_sizes"] = out["original_sizes"]
        return out

    def label(self, source: Any) -> np.ndarray:
        """One label map at ``mask_size``."""
        picture = targets.label_map(source)
        if self.do_resize:
            picture = resize(picture, target_size(picture.size, self.mask_size), NEAREST)
        return picture.array()[:, :, 0].astype(np.int64)

    def seen_size(self, size: tuple[int, int], target_size: int) -> tuple[int, int]:
        return target_size, target_size

    def post_process_masks(  # type: ignore[override]
        self,
        masks: Any,
        original_sizes: Any,
        mask_threshold: float = 0.0,
        binarize: bool = True,
        max_hole_area: float = 0.0,
        max_sprinkle_area: float = 0.0,
        apply_non_overlapping_constraints: bool = False,
        **kwargs: Any,
    ) -> list[torch.Tensor]:
        """Masks in the pixels of the pictures.

        Args:
            masks: per image logits (objects, masks, 256, 256), or one tensor of them.
            original_sizes: (height, width) per image, as ``preprocess`` returned.
            mask_threshold: logits above it belong to the mask. binarize: booleans instead of logits.
            max_hole_area, max_sprinkle_area: taken, and as released without effect.
            apply_non_overlapping_constraints: each pixel is left to the object that is surest of it.

        Returns:
            Per image (objects, masks, height, width).
        """
        import torch

        sizes = found_boxes.rows(original_sizes)
        if len(masks) != len(sizes):
            raise ProcessingError(
                f"{len(masks)} masks came with {len(sizes)} original_sizes; give one per image"
            )
        found = []
        for one, size in zip(masks, sizes, strict=True):
            logits = scaled(torch.as_tensor(one), size)
            if apply_non_overlapping_constraints and len(logits) > 1:
                objects = torch.arange(len(logits), device=logits.device).view(-1, 1, 1, 1)
                surest = logits.argmax(0, keepdim=True) == objects
                logits = torch.where(surest, logits, logits.clamp(max=-10.0))
            found.append(logits > mask_threshold if binarize else logits)
        return found
