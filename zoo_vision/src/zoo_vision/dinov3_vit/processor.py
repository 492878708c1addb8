"""Image processor of DINOv3."""

from __future__ import annotations

import numpy as np

from zoo_vision.processing.base import IMAGENET_MEAN, IMAGENET_STD, StandardImageProcessor
from zoo_vision.processing.picture import Picture
from zoo_vision.processing.resample import BILINEAR, Size, resize_frame, target_size


class DINOv3ViTImageProcessor(StandardImageProcessor):
    """Resized as numbers, so that no level is rounded on the way."""

    size: Size = {"height": 224, "width": 224}
    resample: int = BILINEAR
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD

    def resized(self, picture: Picture) -> Picture:
        numbers = Picture(picture.array().astype(np.float32), picture.scale)
        return resize_frame(numbers, target_size(picture.size, self.size), self.resample)
