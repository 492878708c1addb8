"""Image processors that cut a picture into tiles at the grid that suits it: LLaVA-NeXT, LLaVA-OneVision."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ConfigError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry
from zoo_vision.processing.base import (
    CLIP_MEAN,
    CLIP_STD,
    Call,
    CroppingImageProcessor,
    shortest,
    square,
)
from zoo_vision.processing.parallel import map_items
from zoo_vision.processing.picture import (
    Picture,
    flat_list,
    samples_of,
)
from zoo_vision.processing.resample import Size, resize

Extent = tuple[int, int]


def best_resolution(size: Extent, candidates: Iterable[Sequence[int]]) -> Extent:
    """The (height, width) of ``candidates`` that keeps most pixels of the picture and wastes fewest."""
    height, width = size
    best: Extent | None = None
    most, least = -1, math.inf
    for tall, wide in candidates:
        scale = min(wide / width, tall / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        wasted = tall * wide - kept
        if kept > most or (kept == most and wasted < least):
            most, least, best = kept, wasted, (int(tall), int(wide))
    if best is None:
        raise ConfigError("no resolutions to choose from; image_grid_pinpoints is empty")
    return best


def fitted(picture: Picture, target: Extent, resample: int) -> Picture:
    """The picture scaled into ``target``, its other side rounded up."""
    height, width = picture.size
    wide, tall = target[1] / width, target[0] / height
    if wide < tall:
        size = min(math.ceil(height * wide), target[0]), target[1]
    else:
        size = target[0], min(math.ceil(width * tall), target[1])
    return resize(picture, size, resample)


def centred(picture: Picture, target: Extent) -> Picture:
    """The picture in the middle of black of size ``target``."""
    down, right = target[0] - picture.size[0], target[1] - picture.size[1]
    top, left = down // 2, right // 2
    return geometry.pad(picture, top=top, bottom=down - top, left=left, right=right - left)


def stacked(groups: list[np.ndarray], *, fill: float = 0.0) -> np.ndarray | list[np.ndarray]:
    """Arrays (tiles, …) of differing numbers of tiles as one, the missing ones filled."""
    most = max(len(group) for group in groups)
    if len({group.shape[1:] for group in groups}) != 1:
        return groups
    out = np.full((len(groups), most, *groups[0].shape[1:]), fill, dtype=groups[0].dtype)
    for place, group in zip(out, groups, strict=True):
        place[: len(group)] = group
    return out


class LlavaNextImageProcessor(CroppingImageProcessor):
    """The whole picture small, then tiles of it at the grid resolution that suits it best (LLaVA-NeXT)."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "image_sizes"]
    size: Size = shortest(224)
    image_grid_pinpoints: list[list[int]] = [[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_pad: bool = True
    do_convert_rgb: bool = True

    def side(self) -> Extent:
        """(height, width) of a tile."""
        if "height" in self.size:
            return self.size["height"], self.size["width"]
        return self.size["shortest_edge"], self.size["shortest_edge"]

    def tile(self) -> Extent:
        """(height, width) that the grid is cut at."""
        return self.crop_size["height"], self.crop_size["height"]

    def cut(self, picture: Picture) -> list[Picture]:
        """The whole picture at the size of a tile, then its tiles, each as the model sees it."""
        target = best_resolution(picture.size, self.image_grid_pinpoints)
        page = centred(fitted(picture, target, self.resample), target)
        parts = [resize(picture, self.side(), self.resample), *geometry.tiles(page, *self.tile())]
        return [self.arrange(part) for part in parts]

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (images, tiles, 3, height, width), images with fewer tiles filled with zeros, and
            ``image_sizes`` (images, 2): height and width as passed in.
        """
        run, call = self.begin(kwargs)
        sizes, groups = run.tile_groups(flat_list(images), call)
        data: dict[str, Any] = {
            "pixel_values": stacked(groups) if run.do_pad else groups,
            "image_sizes": sizes,
        }
        return self.batch(data, call.return_tensors, listed=("pixel_values", "image_sizes"))

    def tile_groups(self, sources: list[Any], call: Call) -> tuple[list[list[int]], list[np.ndarray]]:
        """Sizes of the pictures, and the values of each one's tiles."""

        def one(picture: Picture) -> tuple[list[int], np.ndarray]:
            parts = self.cut(picture)
            return list(picture.size), np.asarray(self.finish(parts, replace(call, threads=1)))

        pairs = self.open_all(sources, call, one)
        return [size for size, _ in pairs], [values for _, values in pairs]


ONEVISION_GRID = [[384 * tall, 384 * wide] for tall in range(1, 7) for wide in range(1, 7)]


class LlavaOnevisionImageProcessor(LlavaNextImageProcessor):
    """Several pictures in one sample are not cut."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "image_sizes", "batch_num_images"]
    size: Size = square(384)
    image_grid_pinpoints: list[list[int]] = ONEVISION_GRID
    do_center_crop: ClassVar[bool] = False  # type: ignore[misc]
    crop_size: ClassVar[None] = None  # type: ignore[misc]

    def tile(self) -> Extent:
        return self.size["height"], self.size["height"]

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """As LLaVA-NeXT's, with ``batch_num_images``: the number of pictures of each sample."""
        run, call = self.begin(kwargs)
        samples = samples_of(images)
        counts = [len(sample) for sample in samples]
        alone = [count == 1 for count in counts for _ in range(count)]
        flags = iter(alone)
        sources = [(source, next(flags)) for sample in samples for source in sample]

        def one(entry: tuple[Any, bool]) -> tuple[list[int], np.ndarray]:
            picture = run.opened(entry[0], call)
            parts = run.cut(picture) if entry[1] else [run.whole(picture)]
            return list(picture.size), np.asarray(run.finish(parts, replace(call, threads=1)))

        pairs = map_items(one, sources, threads=call.threads)
        groups = [values for _, values in pairs]
        data: dict[str, Any] = {
            "pixel_values": stacked(groups) if run.do_pad else groups,
            "image_sizes": [size for size, _ in pairs],
            "batch_num_images": counts,
        }
        return self.batch(data, call.return_tensors, listed=("pixel_values", "image_sizes"))

    def whole(self, picture: Picture) -> Picture:
        """One of several pictures: squared on the mean colour and brought to the size of a tile."""
        mean = [int(value * 255) for value in self.image_mean]
        return self.arrange(geometry.pad_square(picture, mean))
