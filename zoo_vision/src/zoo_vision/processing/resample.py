"""Sizes and resampling: which size a picture gets, and Pillow's filters that bring it there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from zoo_core.errors import ConfigError, ProcessingError
from zoo_vision.processing.picture import Picture, check_area

NEAREST, LANCZOS, BILINEAR, BICUBIC, BOX, HAMMING = range(6)
FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
SIZE_KEYS = (
    "height",
    "width",
    "shortest_edge",
    "longest_edge",
    "max_height",
    "max_width",
    "min_pixels",
    "max_pixels",
)

Size = dict[str, int]


def size_dict(value: Any, name: str, default: Any = None) -> Size | None:
    """A size from a file or a caller as a dictionary.

    Args:
        value: a dictionary, (height, width), or one number, which then means what ``default`` measures:
            both sides, the shortest or the longest edge.
        name: the field, for messages.
        default: the class's own value of the field.

    Raises:
        ConfigError: not a size, or a side below 1.
    """
    if value is None:
        return None
    keys = tuple(default) if isinstance(default, Mapping) else ("height", "width")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        side = int(value)
        if "height" in keys:
            found = {"height": side, "width": side}
        elif "shortest_edge" in keys:
            found = {**dict(default), "shortest_edge": side}
        else:
            found = {keys[0]: side}
    elif isinstance(value, (list, tuple)) and len(value) == 2:
        found = {"height": int(value[0]), "width": int(value[1])}
    elif isinstance(value, Mapping):
        found = dict(value)
    else:
        raise ConfigError(f"{name}={value!r} is no size; use {{'height': 224, 'width': 224}} or a number")
    for key, side in found.items():
        if key not in SIZE_KEYS:
            raise ConfigError(f"{name} has the key {key!r}; known are {', '.join(SIZE_KEYS)}")
        if side is not None and (isinstance(side, bool) or not isinstance(side, (int, float)) or side < 1):
            raise ConfigError(f"{name}[{key!r}] must be a number of pixels from 1 up, got {side!r}")
    return found


def shortest_edge(size: tuple[int, int], target: int, limit: int | None = None) -> tuple[int, int]:
    """(height, width) whose shorter side is ``target``, and whose longer is at most ``limit``."""
    height, width = size
    short, long = min(size), max(size)
    new_short, new_long = target, int(target * long / short)
    if limit is not None and new_long > limit:
        new_short, new_long = int(limit * new_short / new_long), limit
    return (new_long, new_short) if width <= height else (new_short, new_long)


def edges(size: tuple[int, int], shortest: int, longest: int | None) -> tuple[int, int]:
    """The detection rule: the shorter side becomes ``shortest`` unless the longer would pass ``longest``."""
    height, width = size
    raw = None
    if longest is not None:
        low, high = float(min(size)), float(max(size))
        if high / low * shortest > longest:
            raw = longest * low / high
            shortest = round(raw)
    if (height <= width and height == shortest) or (width <= height and width == shortest):
        return size
    reach = shortest if longest is None or raw is None else raw
    if width < height:
        return int(reach * height / width), shortest
    return shortest, int(reach * width / height)


def within(size: tuple[int, int], height: int, width: int) -> tuple[int, int]:
    """The largest size of this aspect ratio inside ``height`` x ``width``."""
    scale = min(height / size[0], width / size[1])
    return int(size[0] * scale), int(size[1] * scale)


def longest_edge(size: tuple[int, int], target: int) -> tuple[int, int]:
    """(height, width) whose longer side is ``target``, sides rounded."""
    scale = target / max(size)
    return int(size[0] * scale + 0.5), int(size[1] * scale + 0.5)


def target_size(size: tuple[int, int], wanted: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width) that a size dictionary asks for, given the present size."""
    if wanted.get("height") and wanted.get("width"):
        return int(wanted["height"]), int(wanted["width"])
    if wanted.get("shortest_edge"):
        if "longest_edge" in wanted:
            return edges(size, wanted["shortest_edge"], wanted["longest_edge"])
        return shortest_edge(size, wanted["shortest_edge"])
    if wanted.get("max_height") and wanted.get("max_width"):
        return within(size, wanted["max_height"], wanted["max_width"])
    if wanted.get("longest_edge"):
        return longest_edge(size, wanted["longest_edge"])
    raise ConfigError(
        f"size={dict(wanted)} says no size; use height and width, shortest_edge (with or without "
        "longest_edge), longest_edge, or max_height and max_width"
    )


def smart_size(
    size: tuple[int, int],
    *,
    factor: int,
    min_pixels: int,
    max_pixels: int,
    frames: int = 1,
    step: int = 1,
    least: int = 0,
) -> tuple[int, int]:
    """Sides that are multiples of ``factor`` with an area within bounds, keeping the aspect ratio (Qwen2-VL).

    ``frames``, taken ``step`` at a time, multiply the area where a volume is bounded; ``least`` first
    enlarges a smaller picture.

    Raises:
        ProcessingError: the aspect ratio exceeds 200.
    """
    height, width = size
    if least and min(size) < least:
        grow = max(least / height, least / width)
        height, width = int(height * grow), int(width * grow)
    if max(height, width) / min(height, width) > 200:
        raise ProcessingError(f"the aspect ratio of {width}x{height} exceeds 200")
    new_height, new_width = round(height / factor) * factor, round(width / factor) * factor
    volume = round(frames / step) * step * new_height * new_width
    if volume > max_pixels:
        beta = math.sqrt(frames * height * width / max_pixels)
        new_height = max(factor, math.floor(height / beta / factor) * factor)
        new_width = max(factor, math.floor(width / beta / factor) * factor)
    elif volume < min_pixels:
        beta = math.sqrt(min_pixels / (frames * height * width))
        new_height = math.ceil(height * beta / factor) * factor
        new_width = math.ceil(width * beta / factor) * factor
    return new_height, new_width


def resize(
    picture: Picture, size: tuple[int, int], resample: int, *, reducing_gap: float | None = None
) -> Picture:
    """The picture resampled to ``size`` (height, width) with a Pillow filter.

    ``reducing_gap`` lets Pillow shrink by a whole factor first, as some processors do.

    Floats in [0, 1] are quantised to 8 bits first, as Pillow's filters work on levels.
    """
    height, width = size
    check_area(height, width, "the resized image")
    if not 0 <= int(resample) <= 5:
        raise ProcessingError(
            f"resample={resample!r} is none of Pillow's filters 0..5 ({', '.join(FILTERS)})"
        )
    if picture.channels > 4:
        layers = [
            resize(Picture(picture.array()[:, :, [c]], picture.scale), size, resample)
            for c in range(picture.channels)
        ]
        return Picture(np.concatenate([layer.array() for layer in layers], axis=2), layers[0].scale)
    source = picture.image()
    assert isinstance(source.pixels, Image.Image)
    method = Image.Resampling(int(resample))
    return Picture(source.pixels.resize((width, height), method, reducing_gap=reducing_gap), source.scale)


def resize_frame(
    picture: Picture, size: tuple[int, int], resample: int, *, antialias: bool = True
) -> Picture:
    """As ``resize``, with torch's filters, by which video processors are defined; ``antialias`` smooths them.

    Their levels differ from Pillow's at sharp edges. Floats stay floats; filters other than linear and cubic
    are Pillow's.
    """
    mode = {BILINEAR: "bilinear", BICUBIC: "bicubic"}.get(int(resample))
    if mode is None or picture.size == tuple(size):
        return picture if mode else resize(picture, size, resample)
    import torch
    import torch.nn.functional as F

    check_area(*size, "the resized frame")
    pixels = np.ascontiguousarray(picture.array().transpose(2, 0, 1))
    frame = torch.from_numpy(pixels if pixels.dtype == np.uint8 else pixels.astype(np.float32))
    grown = F.interpolate(frame[None], size=tuple(size), mode=mode, antialias=antialias)[0]
    return Picture(np.ascontiguousarray(grown.numpy().transpose(1, 2, 0)), picture.scale)
