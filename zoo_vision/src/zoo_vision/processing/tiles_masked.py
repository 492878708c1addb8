"""Image processor of Phi-4-multimodal: tiles of a canvas whose padding a mask of patches tells."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry
from zoo_vision.processing.base import HALF, StandardImageProcessor, square
from zoo_vision.processing.picture import Picture, flat_list
from zoo_vision.processing.resample import BICUBIC, BILINEAR, Size, resize_frame
from zoo_vision.processing.tiles_canvas import Extent, nearest_grid

SHORTEST = 10
"""Pixels that the shorter side of a picture must have on its canvas."""


class Phi4MultimodalImageProcessorFast(StandardImageProcessor):
    """The whole picture in one tile, then the tiles of a canvas that holds it, at the top left of white.

    size: of a tile. dynamic_hd: tiles of a canvas at most. patch_size: of the model's patches. The picture
    is brought to its canvas linearly and the canvas to one tile cubically, whatever `resample` says.
    """

    model_input_names: ClassVar[list[str]] = ["image_pixel_values", "image_sizes", "image_attention_mask"]
    size: Size = square(448)
    resample: int = BICUBIC
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    do_convert_rgb: bool = True
    patch_size: int = 14
    dynamic_hd: int = 36

    def side(self) -> int:
        """Edge of a tile."""
        side = self.size["height"]
        if self.size.get("width") != side:
            raise ConfigError(f"size={self.size} must be a square: it is the size of a tile")
        return int(side)

    def canvas(self, size: Extent) -> Extent:
        """(columns, rows) of tiles: those that hold the picture as it is, or the nearest that are allowed."""
        side = self.side()
        columns, rows = math.ceil(size[1] / side), math.ceil(size[0] / side)
        if columns * rows > self.dynamic_hd:
            return nearest_grid(size, (side, side), 1, self.dynamic_hd)
        return columns, rows

    def on_canvas(self, picture: Picture) -> tuple[Picture, np.ndarray]:
        """The canvas, and which of its patches (rows, columns) are no padding."""
        side, (columns, rows) = self.side(), self.canvas(picture.size)
        (height, width), (tall, wide) = picture.size, (rows * side, columns * side)
        across, down = wide / width, tall / height
        size = (int(height * across), wide) if across < down else (tall, int(width * down))
        if min(size) < SHORTEST:
            raise ProcessingError(
                f"the aspect ratio of {width}x{height} is too extreme: on its canvas the picture is "
                f"{size[1]}x{size[0]}, and {SHORTEST} pixels are the least"
            )
        small = resize_frame(picture, size, BILINEAR)
        page = geometry.pad(small, bottom=tall - size[0], right=wide - size[1], value=255)
        patches = side // self.patch_size
        mask = np.ones((rows * patches, columns * patches), dtype=np.float32)
        mask[len(mask) - (tall - size[0]) // self.patch_size :] = 0
        mask[:, mask.shape[1] - (wide - size[1]) // self.patch_size :] = 0
        return page, mask

    def cut(self, picture: Picture) -> tuple[np.ndarray, np.ndarray, Extent]:
        """Values of the whole and the tiles (tiles, 3, side, side), their masks, and the canvas in pixels."""
        side = self.side()
        page, mask = self.on_canvas(picture)
        values = self.levels().apply(page)
        whole = resize_frame(Picture(values.transpose(1, 2, 0)), (side, side), BICUBIC, antialias=False)
        patches = side // self.patch_size
        tiles = np.concatenate((whole.array().transpose(2, 0, 1)[None], pieces(values, side)))
        masks = np.concatenate((np.ones((1, patches, patches), np.float32), pieces(mask, patches)))
        return tiles, masks, page.size

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``image_pixel_values`` (pictures, tiles, 3, side, side), each picture's whole first and tiles of
            zeros at the end; ``image_sizes`` (pictures, 2), heights and widths of the canvases;
            ``image_attention_mask`` (pictures, tiles, rows, columns), 1 for patches that are no
            padding of a canvas; and ``num_img_tokens`` (pictures,), features of each.

        Raises:
            ProcessingError: a picture that is too long and narrow.
        """
        run, call = self.begin(kwargs)
        done = run.open_all(flat_list(images), call, run.cut)
        most = max(len(tiles) for tiles, _, _ in done)
        data: dict[str, Any] = {
            "image_pixel_values": np.stack([filled(tiles, most) for tiles, _, _ in done]),
            "image_sizes": np.asarray([size for _, _, size in done], dtype=np.int64),
            "image_attention_mask": np.stack([filled(masks, most, 1.0) for _, masks, _ in done]),
            "num_img_tokens": [features(masks, size[1] // run.side()) for _, masks, size in done],
        }
        return BatchFeature(data, call.return_tensors)


def pieces(page: np.ndarray, side: int) -> np.ndarray:
    """(..., rows x side, columns x side) as (rows x columns, ..., side, side)."""
    height, width = page.shape[-2:]
    cut = page.reshape(*page.shape[:-2], height // side, side, width // side, side)
    cut = np.moveaxis(cut, (-4, -2), (0, 1))
    return cut.reshape(-1, *cut.shape[2:])


def filled(tiles: np.ndarray, count: int, value: float = 0.0) -> np.ndarray:
    """`count` tiles, of which those that are missing hold this value."""
    widths = [(0, count - len(tiles))] + [(0, 0)] * (tiles.ndim - 1)
    return np.pad(tiles, widths, constant_values=value)


def features(masks: np.ndarray, columns: int) -> int:
    """Features of a picture: of the whole and the tiles, an end of each line, and a separator.

    `masks` (tiles, rows, columns) of patches, the whole first, of which every other makes a feature.
    """
    whole, tiles = masks[0, ::2, ::2], masks[1:, ::2, ::2]
    lines = tiles[::columns, :, 0].sum()
    return int(whole.size + len(whole) + 1 + tiles.sum() + lines)
