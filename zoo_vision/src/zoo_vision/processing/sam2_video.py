"""The video processor of Segment Anything 2: frames stretched to a square, masks back in their pixels."""

from __future__ import annotations

from collections.abc import Sequence

from zoo_core.processing import BatchFeature
from zoo_vision.processing.base import IMAGENET_MEAN, IMAGENET_STD, Call, square
from zoo_vision.processing.parallel import map_items
from zoo_vision.processing.picture import Picture
from zoo_vision.processing.resample import BILINEAR, Size
from zoo_vision.processing.sam import MaskProcessing
from zoo_vision.processing.videos import VideoProcessor


class Sam2VideoVideoProcessor(MaskProcessing, VideoProcessor):
    """1024 x 1024, whatever the shape.

    Besides the frames, ``original_sizes`` and ``reshaped_input_sizes`` (videos, 2), height and width.
    """

    size: Size = square(1024)
    resample: int = BILINEAR
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD
    do_sample_frames: bool | None = None

    def arrange(self, picture: Picture) -> Picture:
        # ``collect`` has to see the sizes as they were.
        return picture

    def collect(self, groups: Sequence[list[Picture]], call: Call) -> BatchFeature:
        resize = super().arrange
        resized = [map_items(resize, group, threads=call.threads) for group in groups]
        out = super().collect(resized, call)
        sizes = {
            "original_sizes": [list(group[0].size) for group in groups],
            "reshaped_input_sizes": [list(group[0].size) for group in resized],
        }
        out.update(BatchFeature(sizes, call.return_tensors))
        return out
