"""One image on its way through a processor, from whatever the caller passed to an array of pixels."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo_core.errors import ProcessingError

MAX_PIXELS = 178_956_970
"""Largest picture taken in or produced: where Pillow sees a decompression bomb (about 179 megapixels)."""

FIRST, LAST = "channels_first", "channels_last"
CHANNELS = (3, 1, 4)
ON_WHITE = "RGB on white"
"""As a mode: RGB, transparent pixels laid over white instead of losing their transparency."""
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def check_area(height: int, width: int, what: str) -> None:
    """Refuse a picture of no pixels or of more than ``MAX_PIXELS``."""
    if height < 1 or width < 1:
        raise ProcessingError(f"{what} is {width}x{height} pixels; both sides must be at least 1")
    if height * width > MAX_PIXELS:
        raise ProcessingError(
            f"{what} is {width}x{height} = {height * width:,} pixels; the limit is {MAX_PIXELS:,} "
            "(a larger one is taken for a decompression bomb)"
        )


@dataclass(slots=True)
class Picture:
    """Pixels as a Pillow image or an array (height, width, channels).

    ``scale`` is what one stored level stands for: 1 normally, 1/255 after a picture with values in
    [0, 1] was quantised to be resampled.
    """

    pixels: Image.Image | np.ndarray
    scale: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        if isinstance(self.pixels, np.ndarray):
            return int(self.pixels.shape[0]), int(self.pixels.shape[1])
        return self.pixels.height, self.pixels.width

    @property
    def channels(self) -> int:
        """Number of colour channels."""
        if isinstance(self.pixels, np.ndarray):
            return int(self.pixels.shape[2])
        return len(self.pixels.getbands())

    def array(self) -> np.ndarray:
        """(height, width, channels); shares memory with the source where it can."""
        if isinstance(self.pixels, np.ndarray):
            return self.pixels
        array = np.asarray(self.pixels)
        return array if array.ndim == 3 else array[:, :, None]

    def values(self) -> np.ndarray:
        """``array`` with ``scale`` applied."""
        array = self.array()
        return array if self.scale is None else (array.astype(np.float64) * self.scale).astype(np.float32)

    def image(self) -> Picture:
        """The same picture backed by a Pillow image of 8 bits, quantising floats in [0, 1].

        Raises:
            ProcessingError: floats that are neither levels 0..255 nor within [0, 1], or NaN.
        """
        if isinstance(self.pixels, Image.Image):
            if self.scale is None:
                return self
            # Values in [0, 1] pass through floats between two resamplings; not every level survives that.
            seen = (np.arange(256) * self.scale).astype(np.float32).astype(np.float64) * 255
            levels = seen.astype(np.float32).astype(np.uint8)
            return Picture(self.pixels.point(levels.tolist() * self.channels), self.scale)
        array, scale = quantised(self.pixels)
        channels = array.shape[2]
        flat = np.ascontiguousarray(array[:, :, 0] if channels == 1 else array)
        return Picture(Image.fromarray(flat, MODES[channels] if channels > 1 else None), self.scale or scale)


def quantised(array: np.ndarray) -> tuple[np.ndarray, float | None]:
    """``array`` as 8-bit levels, and what a level stands for when that is not 1."""
    if array.dtype == np.uint8:
        return array, None
    if array.dtype == np.bool_:
        return array.astype(np.uint8), None
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ProcessingError("the pixels hold NaN or infinity; every value must be finite")
    if array.dtype.kind != "f" or np.array_equal(array, np.trunc(array)):
        if low < 0 or high > 255:
            raise ProcessingError(f"whole-numbered pixels must be within 0..255, got {low:g}..{high:g}")
        return array.astype(np.uint8), None
    if low < 0 or high > 1:
        raise ProcessingError(
            f"fractional pixels must be within 0..1 to be resized, got {low:g}..{high:g}; "
            "pass levels 0..255 as uint8, or values 0..1 with do_rescale=False"
        )
    return (array * 255).astype(np.uint8), 1 / 255


# What callers pass


def is_picture(value: Any) -> bool:
    """Whether ``value`` is one image or a stack of them, rather than a list of them."""
    return isinstance(value, (str, bytes, os.PathLike, Image.Image)) or hasattr(value, "__array__")


def decode(source: str | bytes | os.PathLike[str]) -> Image.Image:
    """Read an image file, upright as its EXIF orientation says.

    Raises:
        ProcessingError: no such file, not an image, truncated, or too large.
    """
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        raise ProcessingError(f"{source} is an address; download it and pass its path or bytes")
    named = f"the {len(source)} bytes" if isinstance(source, bytes) else str(source)
    try:
        image = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
        check_area(image.height, image.width, "the image")
        image.load()
        return ImageOps.exif_transpose(image)
    except FileNotFoundError as error:
        raise ProcessingError(f"there is no file {named}") from error
    except Image.DecompressionBombError as error:
        raise ProcessingError(f"{named}: {error}") from error
    except UnidentifiedImageError as error:
        raise ProcessingError(f"{named} is no image that Pillow can read") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        raise (
            error
            if isinstance(error, ProcessingError)
            else ProcessingError(f"{named} is damaged or cut off: {error}")
        ) from error


def eight_bits(image: Image.Image) -> Image.Image:
    """A picture of 16 or 32 bits per pixel as 8-bit grey: full range 65535 becomes 255."""
    if image.mode.startswith("I"):
        array = np.asarray(image)
        if array.size and (int(array.max()) > 255 or image.mode != "I"):
            array = np.clip(array, 0, 65535) // 257
        return Image.fromarray(array.astype(np.uint8))
    return image


def converted(image: Image.Image, mode: str | None) -> Image.Image:
    """The image in ``mode``, which may be ``ON_WHITE``, or as it is when None."""
    if mode == ON_WHITE:
        if image.mode == "RGB":
            return image
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, (255, 255, 255)), rgba).convert("RGB")
    return image.convert(mode) if mode and image.mode != mode else image


def channel_axis(shape: tuple[int, ...], input_data_format: str | None, wanted: tuple[int, ...]) -> int:
    """Which axis of a three-dimensional shape holds the channels: 0 or 2.

    Raises:
        ProcessingError: neither the first nor the last axis has a plausible length.
    """
    if input_data_format is not None:
        name = str(getattr(input_data_format, "value", input_data_format))
        if name not in (FIRST, LAST):
            raise ProcessingError(f"input_data_format must be {FIRST!r} or {LAST!r}, got {name!r}")
        return 0 if name == FIRST else 2
    for allowed in (wanted, (1, 3), CHANNELS):
        if shape[0] in allowed or shape[2] in allowed:
            return 0 if shape[0] in allowed else 2
    raise ProcessingError(
        f"an array of shape {shape} has no axis of 1, 3 or 4 channels, first or last; "
        "pass input_data_format='channels_first' or 'channels_last'"
    )


def from_array(value: Any, input_data_format: str | None = None) -> np.ndarray:
    """An array or tensor as (height, width, channels); grey without a channel axis gains one.

    Raises:
        ProcessingError: not a picture's shape or kind.
    """
    if type(value).__module__.partition(".")[0] == "torch":
        value = value.detach().cpu()
        value = value.float().numpy() if str(value.dtype) == "torch.bfloat16" else value.numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "uifb":
        raise ProcessingError(f"pixels must be numbers, got an array of {array.dtype}")
    if array.ndim == 2:
        array = array[:, :, None]
    elif array.ndim != 3:
        raise ProcessingError(f"an image has 2 or 3 dimensions, got an array of shape {array.shape}")
    elif channel_axis(array.shape, input_data_format, (3,)) == 0:
        array = array.transpose(1, 2, 0)
    if array.dtype == np.uint16:
        array = (array // 257).astype(np.uint8)
    return array


def open_picture(source: Any, *, input_data_format: str | None = None, mode: str | None = "RGB") -> Picture:
    """Whatever a caller may pass for one image, checked, as a picture.

    Args:
        source: Pillow image, array, tensor, path or the bytes of a file.
        input_data_format: where the channels of an array are; detected when None.
        mode: the Pillow mode to convert to (alpha is dropped, palettes are resolved); ``ON_WHITE``; None
            leaves it.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, (str, bytes, os.PathLike)):
        source = decode(source)
    if isinstance(source, Image.Image):
        check_area(source.height, source.width, "the image")
        try:
            source.load()
            return Picture(converted(eight_bits(source), mode))
        except (OSError, SyntaxError, ValueError) as error:
            raise ProcessingError(f"the image is damaged or cut off: {error}") from error
    if not hasattr(source, "__array__"):
        raise ProcessingError(
            f"an image must be a PIL image, an array, a tensor, a path or bytes; got {type(source).__name__}"
        )
    array = from_array(source, input_data_format)
    check_area(array.shape[0], array.shape[1], "the image")
    if mode is not None and array.shape[2] == 4:
        array = array[:, :, :-1]
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ProcessingError("the pixels hold NaN or infinity; every value must be finite")
    return Picture(array)


def flat_list(images: Any) -> list[Any]:
    """One image, a stack, or (nested) lists of images as one list of images, nothing loaded yet.

    Raises:
        ProcessingError: the input is empty or holds something that is no image.
    """
    if is_picture(images) and not isinstance(images, (str, bytes, os.PathLike, Image.Image)):
        rank = getattr(images, "ndim", None)
        if rank is None:
            rank = np.asarray(images).ndim
        if rank == 4:
            return list(images)
        if rank == 5:
            return [image for stack in images for image in stack]
    if isinstance(images, Picture) or is_picture(images):
        return [images]
    if not isinstance(images, (list, tuple)):
        raise ProcessingError(
            "images must be PIL images, arrays, tensors, paths or bytes, alone or in lists; "
            f"got {type(images).__name__}"
        )
    for place, item in enumerate(images):  # None may stand for a list of none, next to other lists
        absent = item is None and any(is_picture(other) for other in images)
        if absent or not (item is None or is_picture(item) or isinstance(item, (list, tuple, Picture))):
            raise ProcessingError(
                f"image {place} must be a PIL image, an array, a tensor, a path or bytes; "
                f"got {type(item).__name__}"
            )
    found = [image for item in images for image in (flat_list(item) if item is not None else ())]
    if not found:
        raise ProcessingError("no image was given; pass at least one")
    return found


def is_nested(images: Any) -> bool:
    """Whether ``images`` is a list of lists, one per sample."""
    return isinstance(images, (list, tuple)) and any(isinstance(item, (list, tuple)) for item in images)


def nested_list(images: Any) -> list[list[Any]]:
    """Images as one list per sample: a flat list is one sample's, a list of lists is kept."""
    if is_nested(images):
        return [flat_list(item) if item is not None and len(item) else [] for item in images]
    return [flat_list(images)]


def samples_of(images: Any) -> list[list[Any]]:
    """Images as one list per sample: each of a flat list is a sample of its own, a list of lists is kept."""
    return nested_list(images) if is_nested(images) else [[one] for one in flat_list(images)]
