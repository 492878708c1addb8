"""What the picture tasks write: boxes on a picture, masks in distinct colours, maps of numbers."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

_GOLDEN = 0.618033988749895


def color(index: int) -> tuple[int, int, int]:
    """The colour of a class: neighbours lie far apart on the circle of hues (golden ratio)."""
    red, green, blue = colorsys.hsv_to_rgb(index * _GOLDEN % 1, 0.75, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def write_boxes(
    picture: Image, boxes: Sequence[Sequence[float]], names: Sequence[str], classes: Sequence[int], path: Path
) -> None:
    """A copy of the picture with a frame and a name for each box (x0, y0, x1, y1 in pixels)."""
    from PIL import ImageDraw, ImageFont

    drawn = picture.copy()
    draw = ImageDraw.Draw(drawn)
    width = max(2, min(drawn.size) // 250)
    font = ImageFont.load_default(size=max(10, min(drawn.size) // 40))
    for box, name, index in zip(boxes, names, classes, strict=True):
        x0, x1 = sorted((box[0], box[2]))
        y0, y1 = sorted((box[1], box[3]))
        draw.rectangle((x0, y0, x1, y1), outline=color(index), width=width)
        left, top, right, bottom = draw.textbbox((0, 0), name, font=font)
        corner = x0, max(y0 - (bottom - top) - 4, 0)
        draw.rectangle(
            (*corner, corner[0] + right - left + 4, corner[1] + bottom - top + 4), fill=color(index)
        )
        draw.text((corner[0] + 2 - left, corner[1] + 2 - top), name, fill="black", font=font)
    drawn.save(path)


def write_mask(numbers: np.ndarray, path: Path) -> None:
    """Numbers (height, width) as a picture whose pixels are these numbers, with a palette to look at.

    Up to 256 numbers fit; above, the picture has 16 bits and no palette. -1 (nothing) becomes the highest.
    """
    import numpy as np
    from PIL import Image

    highest = int(numbers.max(initial=0))
    if highest < 255:
        made = Image.fromarray(np.where(numbers < 0, 255, numbers).astype(np.uint8))
        made.putpalette([value for index in range(255) for value in color(index)] + [0, 0, 0])
    else:
        made = Image.fromarray(np.where(numbers < 0, 65535, numbers).astype(np.uint16))
    made.save(path)


def write_map(values: np.ndarray, path: Path) -> None:
    """Real numbers (height, width) as 16-bit grey, the lowest black and the highest white."""
    import numpy as np
    from PIL import Image

    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low or 1.0) * 65535
    Image.fromarray(np.round(scaled).astype(np.uint16)).save(path)


def rounded(numbers: Any) -> list[float]:
    """Numbers of a tensor, at a precision that a reader of JSON wants."""
    return [round(float(number), 2) for number in numbers]
