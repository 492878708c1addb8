"""Image processors that lay a picture over a canvas of tiles: Mllama, Aria, Gemma 3, GOT-OCR 2, Pixtral."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ConfigError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry
from zoo_vision.processing.base import (
    CLIP_MEAN,
    CLIP_STD,
    HALF,
    ImageProcessor,
    StandardImageProcessor,
    square,
)
from zoo_vision.processing.parallel import map_items, split
from zoo_vision.processing.picture import ON_WHITE, Picture, flat_list, nested_list
from zoo_vision.processing.resample import BICUBIC, BILINEAR, Size, resize, resize_frame
from zoo_vision.processing.tiles import best_resolution, centred, fitted

Extent = tuple[int, int]

ARIA_RESOLUTIONS = [
    *[[490, 980], [490, 1470], [490, 1960], [490, 2450], [490, 2940], [490, 3430], [490, 3920]],
    *[[980, 1960], [980, 1470], [980, 980], [980, 490], [1470, 490], [1470, 980], [1960, 490]],
    *[[1960, 980], [2450, 490], [2940, 490], [3430, 490], [3920, 490]],
]


class AriaImageProcessor(ImageProcessor):
    """Longest edge 490 or 980, on a square with a mask; larger pictures are cut where asked for."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "pixel_mask", "num_crops"]
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    max_image_size: int = 980
    min_image_size: int = 336
    split_resolutions: list[list[int]] = ARIA_RESOLUTIONS
    split_image: bool | None = False
    do_convert_rgb: bool | None = True
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool | None = True
    resample: int = BICUBIC

    def cut(self, picture: Picture) -> list[Picture]:
        """The picture, or the tiles of the canvas that suits it."""
        if not self.split_image:
            return [picture]
        target = best_resolution(picture.size, self.split_resolutions)
        page = centred(fitted(picture, target, self.resample), target)
        return geometry.tiles(page, self.max_image_size, self.max_image_size)

    def squared(self, picture: Picture) -> tuple[Picture, Extent]:
        """The picture at the top left of a square of ``max_image_size``, and its size there."""
        height, width = picture.size
        side, least = self.max_image_size, self.min_image_size
        scale = side / max(height, width)
        if width >= height:
            size = max(int(height * scale), least), side
        else:
            size = side, max(int(width * scale), least)
        small = resize(picture, size, self.resample)
        return geometry.pad(small, bottom=side - size[0], right=side - size[1]), size

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (crops, 3, side, side), ``pixel_mask`` (crops, side, side), true where there are
            pixels, and ``num_crops``, the largest number of crops of one picture.
        """
        run, call = self.begin(kwargs)
        if run.max_image_size not in (490, 980):
            raise ConfigError(f"max_image_size={run.max_image_size} must be 490 or 980")

        def one(picture: Picture) -> list[tuple[Picture, Extent]]:
            return [run.squared(part) for part in run.cut(picture)]

        done = run.open_all(flat_list(images), call, one)
        crops = [crop for parts in done for crop in parts]
        values = run.finish([crop for crop, _ in crops], call)
        side = run.max_image_size
        mask = np.zeros((len(crops), side, side), dtype=bool)
        for place, (_, (height, width)) in zip(mask, crops, strict=True):
            place[:height, :width] = True
        data = {"pixel_values": values, "pixel_mask": mask, "num_crops": max(len(parts) for parts in done)}
        return self.batch(data, call.return_tensors, listed=())


class Gemma3ImageProcessor(StandardImageProcessor):
    """The whole picture and, where asked for and long enough, crops along its longer side."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "num_crops"]
    do_convert_rgb: bool | None = True
    do_pan_and_scan: bool | None = None
    pan_and_scan_min_crop_size: int | None = None
    pan_and_scan_max_num_crops: int | None = None
    pan_and_scan_min_ratio_to_activate: float | None = None

    def crops(self, picture: Picture) -> list[Picture]:
        """Equal crops along the longer side; none when the picture is nearly square or too small."""
        least = self.pan_and_scan_min_crop_size
        most, ratio = self.pan_and_scan_max_num_crops, self.pan_and_scan_min_ratio_to_activate
        if least is None or most is None or ratio is None:
            raise ConfigError(
                "do_pan_and_scan needs pan_and_scan_min_crop_size, pan_and_scan_max_num_crops and "
                "pan_and_scan_min_ratio_to_activate"
            )
        height, width = picture.size
        long, short = max(height, width), min(height, width)
        if long / short < ratio:
            return []
        count = min(math.floor(long / least), math.floor(long / short + 0.5))
        count = min(most, max(2, count))
        step = math.ceil(long / count)
        if min(step, short) < least:
            return []
        return geometry.tiles(picture, *((height, step) if width >= height else (step, width)))

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (pictures and crops, 3, height, width), each picture before its crops, and
            ``num_crops`` (pictures,).
        """
        run, call = self.begin(kwargs)

        def one(picture: Picture) -> list[Picture]:
            parts = [picture, *run.crops(picture)] if run.do_pan_and_scan else [picture]
            return [run.arrange(part) for part in parts]

        done = run.open_all(flat_list(images), call, one)
        values = run.finish([part for parts in done for part in parts], call)
        data = {"pixel_values": values, "num_crops": [len(parts) - 1 for parts in done]}
        return self.batch(data, call.return_tensors)


def nearest_grid(size: Extent, tile: Extent, least: int, most: int) -> Extent:
    """The (columns, rows) of ``least`` to ``most`` tiles whose aspect ratio is nearest the picture's."""
    height, width = size
    grids = sorted(
        {
            (columns, rows)
            for columns in range(1, most + 1)
            for rows in range(1, most + 1)
            if least <= columns * rows <= most
        },
        key=lambda grid: grid[0] * grid[1],
    )
    ratio, best, nearest = width / height, (1, 1), math.inf
    for columns, rows in grids:
        distance = abs(ratio - columns / rows)
        # Of equally near grids the larger wins where the picture has the pixels for it.
        enough = height * width > 0.5 * tile[0] * tile[1] * columns * rows
        if distance < nearest or (distance == nearest and enough):
            nearest, best = distance, (columns, rows)
    return best


class GotOcr2ImageProcessor(StandardImageProcessor):
    """Tiles of the grid that suits the picture and a small whole, where ``crop_to_patches`` asks for them."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "num_patches"]
    size: Size = square(384)
    crop_to_patches: bool = False
    min_patches: int = 1
    max_patches: int = 12
    resample: int = BICUBIC
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool = True

    def cut(self, picture: Picture) -> list[Picture]:
        """The tiles and, when there are several, the whole picture last."""
        tile, (columns, rows) = self.tile(), self.grid(picture.size)
        canvas = self.scaled(picture, (tile[0] * rows, tile[1] * columns))
        parts = geometry.tiles(canvas, *tile)
        return [*parts, self.scaled(picture, tile)] if len(parts) > 1 else parts

    def tile(self) -> Extent:
        """(height, width) of a tile."""
        return self.size["height"], self.size["width"]

    def grid(self, size: Extent) -> Extent:
        """(columns, rows) of tiles for a picture of this size."""
        return nearest_grid(size, self.tile(), self.min_patches, self.max_patches)

    def scaled(self, picture: Picture, size: Extent) -> Picture:
        """The picture resampled to (height, width)."""
        return resize(picture, size, self.resample)

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch; ``num_patches`` (pictures,) says how many of ``pixel_values`` each has."""
        run, call = self.begin(kwargs)

        def one(picture: Picture) -> list[Picture]:
            parts = run.cut(picture) if run.crop_to_patches else [picture]
            return [run.arrange(part) for part in parts]

        done = run.open_all(flat_list(images), call, one)
        values = run.finish([part for parts in done for part in parts], call)
        data = {"pixel_values": values, "num_patches": [len(parts) for parts in done]}
        return self.batch(data, call.return_tensors)

    def get_number_of_image_patches(
        self, height: int, width: int, images_kwargs: dict[str, Any] | None = None
    ) -> int:
        """How many patches a picture of this size becomes."""
        run = self.adjusted(dict(images_kwargs or {}))
        if not run.crop_to_patches:
            return 1
        columns, rows = run.grid((height, width))
        return columns * rows + (1 if columns * rows > 1 else 0)


class Cohere2VisionImageProcessorFast(GotOcr2ImageProcessor):
    """Tiles of the grid that enlarges the picture least, or else shrinks it least, and a small whole.

    patch_size: features along an edge of a tile.
    """

    size: Size = square(512)
    crop_to_patches: bool = True
    patch_size: ClassVar[int] = 16

    def grid(self, size: Extent) -> Extent:
        return best_canvas(size, self.max_patches, self.size["height"])  # as trained, columns for its rows

    def scaled(self, picture: Picture, size: Extent) -> Picture:
        return resize_frame(picture, size, self.resample)

    def resized(self, picture: Picture) -> Picture:
        return self.scaled(picture, self.tile())


class PixtralImageProcessor(StandardImageProcessor):
    """Longest edge at most 1024, sides up to multiples of a patch, the batch padded."""

    mode = ON_WHITE
    model_input_names: ClassVar[list[str]] = ["pixel_values", "image_sizes"]
    size_fields: ClassVar[tuple[str, ...]] = ("size", "patch_size")
    size: Size = {"longest_edge": 1024}
    patch_size: Size = square(16)
    resample: int = BICUBIC
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool = True

    def resized(self, picture: Picture) -> Picture:
        height, width = picture.size
        if "longest_edge" in self.size:
            tall = wide = self.size["longest_edge"]
        else:
            tall, wide = self.size["height"], self.size["width"]
        ratio = max(height / tall, width / wide)
        if ratio > 1:
            height, width = math.floor(height / ratio), math.floor(width / ratio)
        rows, columns = self.patch_size["height"], self.patch_size["width"]
        size = geometry.up_to_multiple(height, rows), geometry.up_to_multiple(width, columns)
        return resize(picture, size, self.resample)

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch; ``image_sizes`` (pictures, 2) says which part of ``pixel_values`` is picture."""
        run, call = self.begin(kwargs)
        pictures = run.open_all(flat_list(images), call, run.arrange)
        values, _ = run.finish_padded(pictures, call)
        data: dict[str, Any] = {
            "pixel_values": values,
            "image_sizes": [picture.size for picture in pictures],
        }
        return self.batch(data, call.return_tensors)


# Mllama


def aspect_ratios(most: int) -> list[Extent]:
    """The canvases (rows, columns) of at most ``most`` tiles, in the order of their ids."""
    sides = range(1, most + 1)
    return [(rows, columns) for rows in sides for columns in sides if rows * columns <= most]


def best_canvas(size: Extent, most: int, side: int, *, largest: bool = False) -> Extent:
    """(rows, columns) of the canvas that enlarges a picture least, or else shrinks it least.

    With ``largest`` it is the one that enlarges it most.
    """
    height, width = size
    canvases = [(rows * side, columns * side) for rows, columns in aspect_ratios(most)]
    scales = np.asarray([min(tall / height, wide / width) for tall, wide in canvases])
    shrinks = largest or not (scales >= 1).any()
    chosen = scales.max() if shrinks else scales[scales >= 1].min()
    alike = [canvas for canvas, scale in zip(canvases, scales, strict=True) if scale == chosen]
    tall, wide = min(alike, key=lambda canvas: canvas[0] * canvas[1])
    return tall // side, wide // side


def undistorted(size: Extent, room: Extent) -> Extent:
    """The largest size of this aspect ratio inside ``room``, a side being at least a pixel."""
    (height, width), (tall, wide) = size, room
    down, across = tall / height, wide / width
    if across < down:
        return min(math.floor(height * across) or 1, tall), wide
    return tall, min(math.floor(width * down) or 1, wide)


class MllamaImageProcessor(StandardImageProcessor):
    """A picture on the canvas of at most ``max_image_tiles`` tiles that suits it (Llama 3.2 Vision)."""

    mode = ON_WHITE
    model_input_names: ClassVar[list[str]] = [
        "pixel_values",
        "num_tiles",
        "aspect_ratio_ids",
        "aspect_ratio_mask",
    ]
    do_convert_rgb: bool = True
    resample: int = BILINEAR
    do_pad: bool = True
    max_image_tiles: int = 4

    def tiled(self, picture: Picture) -> tuple[np.ndarray, Extent]:
        """Values of the tiles (tiles, 3, side, side), and the canvas (rows, columns)."""
        side = self.size["height"]
        if self.size.get("width") != side:
            raise ConfigError(f"size={self.size} must be a square: it is the size of a tile")
        rows, columns = best_canvas(picture.size, self.max_image_tiles, side)
        tall, wide = (min(max(a, side), b * side) for a, b in zip(picture.size, (rows, columns), strict=True))
        size = undistorted(picture.size, (tall, wide))
        small = resize(picture, size, self.resample)
        page = geometry.pad(small, bottom=rows * side - size[0], right=columns * side - size[1])
        values = self.levels().apply(page)
        cut = values.reshape(3, rows, side, columns, side).transpose(1, 3, 0, 2, 4)
        return np.ascontiguousarray(cut.reshape(rows * columns, 3, side, side)), (rows, columns)

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare samples of pictures; a flat list is one sample.

        Returns:
            ``pixel_values`` (samples, pictures, tiles, 3, side, side); ``aspect_ratio_ids`` (samples,
            pictures), 0 where there is no picture; ``aspect_ratio_mask`` (samples, pictures, tiles), 1 for
            tiles in use; ``num_tiles``, a list per sample.
        """
        run, call = self.begin(kwargs)
        samples = nested_list(images)

        def one(source: Any) -> tuple[np.ndarray, Extent]:
            return run.tiled(run.opened(source, call))

        flat = map_items(one, [source for sample in samples for source in sample], threads=call.threads)
        done = split(flat, [len(sample) for sample in samples])
        most, limit = max(len(sample) for sample in done), run.max_image_tiles
        first = flat[0][0]
        values = np.zeros((len(done), most, limit, *first.shape[1:]), dtype=first.dtype)
        ids = np.zeros((len(done), most), dtype=np.int64)
        mask = np.zeros((len(done), most, limit), dtype=np.int64)
        mask[:, :, 0] = 1
        order = aspect_ratios(limit)
        for place, sample in enumerate(done):
            for number, (tiles, (rows, columns)) in enumerate(sample):
                values[place, number, : len(tiles)] = tiles
                ids[place, number] = order.index((rows, columns)) + 1
                mask[place, number, : rows * columns] = 1
        data = {"pixel_values": values, "aspect_ratio_ids": ids, "aspect_ratio_mask": mask}
        out = BatchFeature(data, call.return_tensors)
        out["num_tiles"] = [[len(tiles) for tiles, _ in sample] for sample in done]
        return out
