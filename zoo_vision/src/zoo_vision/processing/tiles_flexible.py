"""Image processors of LFM2-VL, Ovis2, Llama 4 and PerceptionLM: tiles of a picture, and the whole."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry
from zoo_vision.processing.base import HALF, StandardImageProcessor, square
from zoo_vision.processing.levels import per_channel
from zoo_vision.processing.patches import padded_patches
from zoo_vision.processing.picture import Picture, flat_list
from zoo_vision.processing.resample import BICUBIC, BILINEAR, Size, resize_frame, smart_size
from zoo_vision.processing.tiles_canvas import (
    Extent,
    GotOcr2ImageProcessor,
    aspect_ratios,
    best_canvas,
    nearest_grid,
    undistorted,
)


class Lfm2VlImageProcessorFast(StandardImageProcessor):
    """A picture of at most ``max_image_tokens`` features; a larger one as tiles and, last, a small whole."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "pixel_attention_mask", "spatial_shapes"]
    size: Size = square(512)
    resample: int = BILINEAR
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    do_pad: bool = True
    downsample_factor: int = 2
    do_image_splitting: bool = True
    min_tiles: int = 2
    max_tiles: int = 10
    use_thumbnail: bool = True
    min_image_tokens: int = 64
    max_image_tokens: int = 256
    encoder_patch_size: int = 16
    tile_size: int = 512
    max_pixels_tolerance: float = 2.0
    max_num_patches: int = 1024
    return_row_col_info: bool = False

    @property
    def edge(self) -> int:
        """Edge of a feature in pixels."""
        return self.encoder_patch_size * self.downsample_factor

    def features_of(self, size: Extent) -> int:
        """Features of a picture of this size, which is one of multiples of ``edge``."""
        return (size[0] // self.edge) * (size[1] // self.edge)

    def whole_size(self, size: Extent) -> Extent:
        """(height, width) in which a picture of this size is seen whole."""
        low, high = self.min_image_tokens * self.edge**2, self.max_image_tokens * self.edge**2
        return smart_size(size, factor=self.edge, min_pixels=low, max_pixels=high)

    def grid(self, size: Extent) -> Extent:
        """(columns, rows) of tiles; (1, 1) for a picture that is not cut."""
        tall, wide = (max(self.edge, round(side / self.edge) * self.edge) for side in size)
        if not self.do_image_splitting or tall * wide <= (
            self.max_image_tokens * self.edge**2 * self.max_pixels_tolerance
        ):
            return 1, 1
        return nearest_grid(size, (self.tile_size, self.tile_size), self.min_tiles, self.max_tiles)

    def cut(self, picture: Picture) -> tuple[list[Picture], Extent, Extent]:
        """What is seen of a picture, its grid (columns, rows), and its size as a whole."""
        (columns, rows), size = self.grid(picture.size), self.whole_size(picture.size)
        if columns * rows == 1:
            return [resize_frame(picture, size, self.resample)], (1, 1), size
        side = self.tile_size
        canvas = resize_frame(picture, (rows * side, columns * side), self.resample)
        parts = geometry.tiles(canvas, side, side)
        if self.use_thumbnail:
            parts.append(resize_frame(picture, size, self.resample))
        return parts, (columns, rows), size

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (tiles, patches, patch area * 3), ``pixel_attention_mask`` (tiles, patches) and
            ``spatial_shapes`` (tiles, 2), rows and columns of patches; with ``return_row_col_info`` also, for
            each picture, ``image_sizes`` as a whole, and how it was cut: in ``image_rows`` pieces of its
            width and ``image_cols`` of its height, as the model was trained.
        """
        run, call = self.begin(kwargs)
        most = run.max_image_tokens * run.downsample_factor**2
        if run.do_image_splitting:
            most = max(most, (run.tile_size // run.encoder_patch_size) ** 2)
        levels = run.levels()

        def one(picture: Picture) -> tuple[list[tuple[np.ndarray, np.ndarray, Extent]], Extent, Extent]:
            parts, grid, size = run.cut(picture)
            values = [levels.apply(part, data_format="channels_last") for part in parts]
            return [padded_patches(part, run.encoder_patch_size, most) for part in values], grid, size

        done = run.open_all(flat_list(images), call, one)
        tiles = [tile for parts, _, _ in done for tile in parts]
        data: dict[str, Any] = {
            "pixel_values": [patches for patches, _, _ in tiles],
            "pixel_attention_mask": [mask for _, mask, _ in tiles],
            "spatial_shapes": [grid for _, _, grid in tiles],
        }
        if run.return_row_col_info:
            data["image_rows"] = [grid[0] for _, grid, _ in done]
            data["image_cols"] = [grid[1] for _, grid, _ in done]
            data["image_sizes"] = [size for _, _, size in done]
        return BatchFeature(data, call.return_tensors)


ENOUGH = 0.9
"""Share of a picture's pixels that its tiles should keep."""


def pieces(length: int, count: int) -> list[int]:
    """A length cut in so many equal pieces, of which the last has the rest."""
    size = length // count
    return [size] * (count - 1) + [length - size * (count - 1)]


def kept_pixels(height: int, width: int, side: int) -> float:
    """Pixels of a piece once its longer side is at most `side`."""
    longer, shorter = max(height, width), min(height, width)
    return longer * shorter if longer <= side else side * (shorter / longer * side)


def covering_grid(size: Extent, side: int, most: int) -> Extent:
    """The (columns, rows) of fewest tiles that keep enough of a picture, or of those that keep most."""
    height, width = size
    found = []
    for rows in range(1, most + 1):
        for columns in range(1, most // rows + 1):
            kept = sum(kept_pixels(a, b, side) for a in pieces(height, rows) for b in pieces(width, columns))
            found.append((kept / (height * width), rows, columns))
    good = [one for one in found if one[0] > ENOUGH]
    if good:
        _, rows, columns = min(good, key=lambda one: (one[1] * one[2], -one[0]))
    else:
        _, rows, columns = min(found, key=lambda one: (-one[0], one[1] * one[2]))
    return columns, rows


class Ovis2ImageProcessor(GotOcr2ImageProcessor):
    """As of GOT-OCR 2, with another grid; the small whole comes first, and ``grids`` are returned."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "grids"]

    def grid(self, size: Extent) -> Extent:
        columns, rows = covering_grid(size, self.size["height"], self.max_patches)
        return rows, columns  # as trained, columns for its rows

    def cut(self, picture: Picture) -> list[Picture]:
        parts = super().cut(picture)
        return [parts[-1], *parts[:-1]]

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (wholes and tiles, 3, height, width), and ``grids`` (pictures, 2), the rows and
            columns of tiles, (1, 1) for a picture that is not cut.
        """
        run, call = self.begin(kwargs)

        def one(picture: Picture) -> tuple[list[Picture], Extent]:
            parts = run.cut(picture) if run.crop_to_patches else [picture]
            columns, rows = run.grid(picture.size) if len(parts) > 1 else (1, 1)
            return [run.arrange(part) for part in parts], (rows, columns)

        done = run.open_all(flat_list(images), call, one)
        values = run.finish([part for parts, _ in done for part in parts], call)
        return self.batch({"pixel_values": values, "grids": [grid for _, grid in done]}, call.return_tensors)


def brain_float(values: np.ndarray) -> np.ndarray:
    """Numbers rounded to the nearest bfloat16, as float32."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))
    return (rounded & np.uint32(0xFFFF0000)).view(np.float32)


class Llama4ImageProcessorFast(StandardImageProcessor):
    """Tiles of the canvas that suits a picture and, last where there are several, the whole in one tile.

    Values are rescaled and normalised in bfloat16, as in training.

    max_patches: tiles of a canvas at most. resize_to_max_canvas: fill the largest canvas.
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values", "aspect_ratios"]
    size: Size = square(336)
    resample: int = BILINEAR
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    do_convert_rgb: bool = True
    max_patches: int = 16
    resize_to_max_canvas: bool = False

    @property
    def brief(self) -> bool:
        """Whether values are bfloat16: those that are both rescaled and normalised."""
        return self.do_rescale and self.do_normalize

    def cut(self, picture: Picture) -> tuple[list[Picture], Extent]:
        """The tiles and the whole, and the canvas (rows, columns)."""
        side = self.size["height"]
        if self.size.get("width") != side:
            raise ConfigError(f"size={self.size} must be a square: it is the size of a tile")
        rows, columns = best_canvas(picture.size, self.max_patches, side, largest=self.resize_to_max_canvas)
        canvas = rows * side, columns * side
        tall, wide = canvas
        if not self.resize_to_max_canvas:
            tall, wide = min(max(picture.size[0], side), tall), min(max(picture.size[1], side), wide)
        small = resize_frame(picture, undistorted(picture.size, (tall, wide)), self.resample)
        page = geometry.pad(small, bottom=canvas[0] - small.size[0], right=canvas[1] - small.size[1])
        parts = geometry.tiles(page, side, side)
        if len(parts) > 1:
            parts.append(resize_frame(picture, (side, side), self.resample))
        return parts, (rows, columns)

    def values(self, picture: Picture) -> np.ndarray:
        """(3, height, width); levels are worked out once each, and looked up."""
        if not self.brief:
            return self.levels().apply(picture)
        planes = picture.array().transpose(2, 0, 1)
        if planes.dtype != np.uint8 or picture.scale is not None:
            return self.in_brief(planes.astype(np.float32) * np.float32(picture.scale or 1.0))
        ramp = np.arange(256, dtype=np.float32)
        table = self.in_brief(np.broadcast_to(ramp, (len(planes), 1, 256)))[:, 0]
        return np.stack([row[plane] for row, plane in zip(table, planes, strict=True)])

    def in_brief(self, levels: np.ndarray) -> np.ndarray:
        """Levels (channels, height, width) rescaled and normalised, every step rounded to bfloat16."""
        found = brain_float(brain_float(levels) * np.float32(self.rescale_factor))
        mean, std = (
            brain_float(per_channel(one, len(found), "image_mean"))[:, None, None]
            for one in (self.image_mean, self.image_std)
        )
        return brain_float(brain_float(found - mean) / std)

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (tiles of all pictures, 3, side, side), as tensors of bfloat16, and
            ``aspect_ratios`` (pictures, 2), the rows and columns of tiles; without ``return_tensors`` a list
            of each picture's.
        """
        run, call = self.begin(kwargs)

        def one(picture: Picture) -> tuple[np.ndarray, Extent]:
            parts, canvas = run.cut(picture)
            return np.stack([run.values(part) for part in parts]), canvas

        done = run.open_all(flat_list(images), call, one)
        values: Any = [tiles for tiles, _ in done]
        if call.return_tensors is not None:
            values = np.concatenate(values)
        data = {"pixel_values": values, "aspect_ratios": [canvas for _, canvas in done]}
        out = self.batch(data, call.return_tensors)
        if run.brief and call.return_tensors == "pt":
            import torch

            out["pixel_values"] = out["pixel_values"].to(torch.bfloat16)
        return out


def sharpest_canvas(size: Extent, most: int, side: int) -> Extent:
    """(rows, columns) on which the shorter side of a picture is longest, and of these the smallest.

    A picture that no canvas holds gets the largest canvas of the nearest shape that is more like a square.
    """
    (height, width), canvases = size, aspect_ratios(most)
    shape = width / height

    def shorter(canvas: Extent) -> float:
        scale = min(canvas[1] * side / width, canvas[0] * side / height)
        if width == height:
            return height * scale
        return math.floor(width * scale / shape if width > height else height * scale * shape)

    holding = [one for one in canvases if one[0] * side >= height and one[1] * side >= width]
    if holding:
        return min(holding, key=lambda one: (-shorter(one), one[0] * one[1]))
    shapes = {columns / rows for rows, columns in canvases}
    if shape >= 1:
        nearest = max(one for one in shapes if one <= shape)
    else:
        nearest = min(one for one in shapes if one > shape)
    alike = [one for one in canvases if one[1] / one[0] == nearest]
    return max(alike, key=lambda one: one[0] * one[1])


class PerceptionLMImageProcessorFast(StandardImageProcessor):
    """The whole picture in a tile and, with "thumb+tile", the tiles of the canvas that suits it, stretched.

    vision_input_type: "thumb+tile", or "vanilla" for the whole alone. tile_size, max_num_tiles: of a canvas.
    """

    size: Size = square(448)
    resample: int = BICUBIC
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    do_convert_rgb: bool = True
    vision_input_type: str | None = None
    tile_size: int | None = None
    max_num_tiles: int | None = None

    def stretched(self, picture: Picture, size: Extent) -> Picture:
        """The picture at a size, resampled as numbers that are rounded to levels at the end."""
        levels = picture.array()
        grown = resize_frame(Picture(levels.astype(np.float32), picture.scale), size, self.resample)
        if levels.dtype != np.uint8:
            return grown
        return Picture(np.rint(grown.array()).clip(0, 255).astype(np.uint8), picture.scale)

    def cut(self, picture: Picture) -> list[Picture]:
        """The whole, and the tiles."""
        side, most = self.tile_size, self.max_num_tiles
        if side is None or (self.vision_input_type == "thumb+tile" and most is None):
            raise ConfigError(
                f"tile_size={side} and max_num_tiles={most} must be set, for example to 448 and 36, or "
                "vision_input_type to 'vanilla', which needs tile_size alone"
            )
        whole = self.stretched(picture, (side, side))
        if self.vision_input_type != "thumb+tile" or most is None:
            return [whole]
        rows, columns = sharpest_canvas(picture.size, most, side)
        page = self.stretched(picture, (rows * side, columns * side))
        return [whole, *geometry.tiles(page, side, side)]

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (pictures, tiles, 3, side, side), the whole first; a list where pictures have
            other numbers of tiles.

        Raises:
            ProcessingError: they have, and tensors are asked for.
        """
        run, call = self.begin(kwargs)

        def one(picture: Picture) -> np.ndarray:
            return np.stack([run.levels().apply(part) for part in run.cut(picture)])

        done = run.open_all(flat_list(images), call, one)
        if call.return_tensors is None:
            return BatchFeature({"pixel_values": done})
        counts = [len(tiles) for tiles in done]
        if len(set(counts)) > 1:
            raise ProcessingError(
                f"the images have {counts} tiles, which makes no one tensor; pass images of one shape, "
                "vision_input_type='vanilla', or return_tensors=None"
            )
        return BatchFeature({"pixel_values": np.stack(done)}, call.return_tensors)
