"""Crops, pads and tiles of pictures (height, width, channels)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from zoo_vision.processing.picture import Picture, check_area


def center_crop(picture: Picture, height: int, width: int) -> Picture:
    """The middle ``height`` x ``width``; where the picture is smaller, zeros around it."""
    check_area(height, width, "the crop")
    have_height, have_width = picture.size
    top, left = (have_height - height) // 2, (have_width - width) // 2
    if top >= 0 and left >= 0 and top + height <= have_height and left + width <= have_width:
        return crop(picture, top, left, height, width)
    array = picture.array()
    full_height, full_width = max(height, have_height), max(width, have_width)
    canvas = np.zeros((full_height, full_width, array.shape[2]), dtype=array.dtype)
    # Rounding up here puts the odd row above and the odd column left, as the crop below expects.
    row, column = -(-(full_height - have_height) // 2), -(-(full_width - have_width) // 2)
    canvas[row : row + have_height, column : column + have_width] = array
    top, left = top + row, left + column
    top, left = max(0, top), max(0, left)
    return Picture(canvas[top : top + height, left : left + width], picture.scale)


def crop(picture: Picture, top: int, left: int, height: int, width: int) -> Picture:
    """The rectangle with this corner and size, which must lie within the picture."""
    if isinstance(picture.pixels, np.ndarray):
        return Picture(picture.pixels[top : top + height, left : left + width], picture.scale)
    return Picture(picture.pixels.crop((left, top, left + width, top + height)), picture.scale)


def pad(
    picture: Picture,
    *,
    top: int = 0,
    bottom: int = 0,
    left: int = 0,
    right: int = 0,
    value: float | Sequence[float] = 0,
    mode: str = "constant",
) -> Picture:
    """The picture with a border: one value, one per channel, or a numpy mode (reflect, symmetric, edge)."""
    array = picture.array()
    height, width = array.shape[0] + top + bottom, array.shape[1] + left + right
    check_area(height, width, "the padded image")
    if mode != "constant":
        return Picture(np.pad(array, ((top, bottom), (left, right), (0, 0)), mode=mode), picture.scale)  # type: ignore[call-overload]
    canvas = np.empty((height, width, array.shape[2]), dtype=array.dtype)
    # Where levels stand for values in [0, 1], the value of the border is one of those.
    canvas[:] = (np.asarray(value) / (picture.scale or 1)).round().astype(array.dtype)
    canvas[top : top + array.shape[0], left : left + array.shape[1]] = array
    return Picture(canvas, picture.scale)


def pad_square(picture: Picture, value: float | Sequence[float] = 0) -> Picture:
    """The picture in the middle of a square of its longer side."""
    height, width = picture.size
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    return pad(
        picture, top=top, bottom=side - height - top, left=left, right=side - width - left, value=value
    )


def tiles(picture: Picture, height: int, width: int) -> list[Picture]:
    """Tiles of this size row by row; those at the right and bottom edges may be smaller."""
    full_height, full_width = picture.size
    return [
        crop(picture, top, left, min(height, full_height - top), min(width, full_width - left))
        for top in range(0, full_height, height)
        for left in range(0, full_width, width)
    ]


def largest(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """The height and the width that hold every one of ``sizes``."""
    heights, widths = zip(*sizes, strict=True)
    return max(heights), max(widths)


def up_to_multiple(value: int, divisor: int) -> int:
    """``value`` rounded up to a multiple of ``divisor``."""
    return -(-value // divisor) * divisor
