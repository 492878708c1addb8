"""Images as code of repositories handles them: arrays with their channels first or last, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image

from zoo_core.remote.facade.availability import ExplicitEnum

PILImageResampling = Image.Resampling
ImageInput = VideoInput = Any
Channels = Any
"""A `ChannelDimension`, its value, or None for what the array looks like."""


class ChannelDimension(ExplicitEnum):
    """Where an array has its channels."""

    FIRST = "channels_first"
    LAST = "channels_last"


class PaddingMode(ExplicitEnum):
    """What is put around an image."""

    CONSTANT = "constant"
    REFLECT = "reflect"
    REPLICATE = "replicate"
    SYMMETRIC = "symmetric"


def is_valid_image(img: Any) -> bool:
    return isinstance(img, Image.Image | np.ndarray | torch.Tensor)


def is_batched(img: Any) -> bool:
    return isinstance(img, list | tuple) and bool(img) and is_valid_image(img[0])


def valid_images(imgs: Any) -> bool:
    """Whether this is an image, or a list of images at any depth."""
    return all(map(valid_images, imgs)) if isinstance(imgs, list | tuple) else is_valid_image(imgs)


def make_list_of_images(images: Any, expected_ndims: int = 3) -> list[Any]:
    """One image, a stack of images or a list of them, as a list."""
    if is_batched(images):
        return list(images)
    if isinstance(images, Image.Image):
        return [images]
    if is_valid_image(images) and images.ndim in (expected_ndims, expected_ndims + 1):
        return list(images) if images.ndim == expected_ndims + 1 else [images]
    seen = f"{images.ndim} dimensions" if is_valid_image(images) else type(images).__name__
    raise ValueError(f"images must be images with {expected_ndims} dimensions or a batch of them, not {seen}")


def make_flat_list_of_images(images: Any, expected_ndims: int = 3) -> list[Any]:
    """As `make_list_of_images`, of nested lists too."""
    if isinstance(images, list | tuple) and images and isinstance(images[0], list | tuple):
        return [image for group in images for image in group]
    if is_batched(images) and not isinstance(images[0], Image.Image) and images[0].ndim == expected_ndims + 1:
        return [image for stack in images for image in stack]
    return make_list_of_images(images, expected_ndims)


def to_numpy_array(img: Any) -> np.ndarray:
    if not is_valid_image(img):
        raise ValueError(f"a {type(img).__name__} is no image")
    return img.detach().cpu().numpy() if isinstance(img, torch.Tensor) else np.array(img)


def infer_channel_dimension_format(
    image: np.ndarray, num_channels: int | tuple[int, ...] | None = None
) -> ChannelDimension:
    """Where the channels are, of which there are 1 or 3 unless told otherwise."""
    counts = (num_channels,) if isinstance(num_channels, int) else num_channels or (1, 3)
    if image.ndim not in (3, 4, 5):
        raise ValueError(f"an image with {image.ndim} dimensions")
    if image.shape[-3] in counts:
        return ChannelDimension.FIRST
    if image.shape[-1] in counts:
        return ChannelDimension.LAST
    raise ValueError(f"no dimension of {image.shape} has {counts} channels; name it with input_data_format=")


def get_image_size(image: np.ndarray, channel_dim: Channels = None) -> tuple[int, int]:
    """(height, width)."""
    last = _channels(image, channel_dim) is ChannelDimension.LAST
    height, width = image.shape[-3:-1] if last else image.shape[-2:]
    return int(height), int(width)


def is_scaled_image(image: np.ndarray) -> bool:
    """Whether the values look like those between 0 and 1."""
    return image.dtype != np.uint8 and bool(np.min(image) >= 0 and np.max(image) <= 1)


def load_image(image: Any, timeout: float | None = None) -> Image.Image:
    """An image as RGB. Code of repositories opens no files and no addresses: pass images."""
    if not isinstance(image, Image.Image):
        raise ValueError(f"a {type(image).__name__}: open images before the call, {str(image)[:60]!r}")
    return image.convert("RGB")


def validate_preprocess_arguments(
    do_rescale: bool | None = None,
    rescale_factor: float | None = None,
    do_normalize: bool | None = None,
    image_mean: Any = None,
    image_std: Any = None,
    do_pad: bool | None = None,
    pad_size: Any = None,
    do_center_crop: bool | None = None,
    crop_size: Any = None,
    do_resize: bool | None = None,
    size: Any = None,
    resample: Any = None,
    interpolation: Any = None,
) -> None:
    """Raise ``ValueError`` for a step that is on and lacks what it needs."""
    for flag, wanted, needs in (
        ("do_rescale", do_rescale, {"rescale_factor": rescale_factor}),
        ("do_pad", do_pad, {"pad_size": pad_size}),
        ("do_normalize", do_normalize, {"image_mean": image_mean, "image_std": image_std}),
        ("do_center_crop", do_center_crop, {"crop_size": crop_size}),
        ("do_resize", do_resize, {"size": size, "resample": resample if interpolation is None else 0}),
    ):
        lacking = [name for name, value in needs.items() if value is None]
        if wanted and lacking:
            raise ValueError(f"{flag}=True needs {' and '.join(lacking)}")


def _channels(image: np.ndarray, given: Channels) -> ChannelDimension:
    return infer_channel_dimension_format(image) if given is None else ChannelDimension(given)


def to_channel_dimension_format(
    image: np.ndarray, channel_dim: Channels, input_channel_dim: Channels = None
) -> np.ndarray:
    """The image with its channels at ``channel_dim``; as it is for None."""
    if channel_dim is None:
        return image
    old, new = _channels(image, input_channel_dim), ChannelDimension(channel_dim)
    if old is new:
        return image
    return np.moveaxis(image, -1, -3) if new is ChannelDimension.FIRST else np.moveaxis(image, -3, -1)


def convert_to_rgb(image: Any) -> Any:
    """An image as RGB; anything else as it is."""
    return image.convert("RGB") if isinstance(image, Image.Image) and image.mode != "RGB" else image


def to_pil_image(
    image: Any,
    do_rescale: bool | None = None,
    image_mode: str | None = None,
    input_data_format: Channels = None,
) -> Image.Image:
    """An image of an array; values between 0 and 1 are first spread over 0 to 255, unless told otherwise."""
    if isinstance(image, Image.Image):
        return image
    values = to_channel_dimension_format(to_numpy_array(image), ChannelDimension.LAST, input_data_format)
    values = values.squeeze(-1) if values.shape[-1] == 1 else values
    if _spread(values) if do_rescale is None else do_rescale:
        values = rescale(values, 255)
    return Image.fromarray(values.astype(np.uint8), mode=image_mode)


def _spread(values: np.ndarray) -> bool:
    """Whether an image must be made of these values times 255."""
    if values.dtype == np.uint8 or np.array_equal(values, values.astype(np.int64)):
        if values.min() >= 0 and values.max() <= 255:
            return False
    elif values.min() >= 0 and values.max() <= 1:
        return True
    raise ValueError(
        f"an image with values from {values.min()} to {values.max()}; 0 to 255, or 0 to 1, it is"
    )


def resize(
    image: Any,
    size: Sequence[int],
    resample: Any = None,
    reducing_gap: int | None = None,
    data_format: Channels = None,
    return_numpy: bool = True,
    input_data_format: Channels = None,
) -> Any:
    """The image at (height, width), resampled by Pillow; bilinear unless told otherwise."""
    picture = isinstance(image, Image.Image)
    old = ChannelDimension.LAST if picture else _channels(image, input_data_format)
    spread = not picture and _spread(image)
    height, width = size
    small = to_pil_image(image, do_rescale=spread, input_data_format=old).resize(
        (width, height),
        resample=PILImageResampling.BILINEAR if resample is None else resample,
        reducing_gap=reducing_gap,
    )
    if not return_numpy:
        return small
    values = np.array(small)
    values = values[..., None] if values.ndim == 2 else values
    values = to_channel_dimension_format(values, data_format or old, ChannelDimension.LAST)
    return rescale(values, 1 / 255) if spread else values


def rescale(
    image: np.ndarray,
    scale: float,
    data_format: Channels = None,
    dtype: Any = np.float32,
    input_data_format: Channels = None,
) -> np.ndarray:
    """The values times ``scale``."""
    scaled = (image.astype(np.float64) * scale).astype(dtype)
    return to_channel_dimension_format(scaled, data_format, input_data_format)


def normalize(
    image: np.ndarray,
    mean: float | Iterable[float],
    std: float | Iterable[float],
    data_format: Channels = None,
    input_data_format: Channels = None,
) -> np.ndarray:
    """(image - mean) / std, by channel."""
    old = _channels(image, input_data_format)
    values = image if np.issubdtype(image.dtype, np.floating) else image.astype(np.float32)
    count = values.shape[-1 if old is ChannelDimension.LAST else -3]
    by_channel = []
    for name, given in (("mean", mean), ("std", std)):
        numbers = [given] * count if isinstance(given, int | float) else list(given)
        if len(numbers) != count:
            raise ValueError(f"{name} has {len(numbers)} values for {count} channels")
        shape = (count,) if old is ChannelDimension.LAST else (count, 1, 1)
        by_channel.append(np.array(numbers, dtype=values.dtype).reshape(shape))
    changed: np.ndarray = (values - by_channel[0]) / by_channel[1]
    return to_channel_dimension_format(changed, data_format, old)


def pad(
    image: np.ndarray,
    padding: Any,
    mode: PaddingMode = PaddingMode.CONSTANT,
    constant_values: Any = 0.0,
    data_format: Channels = None,
    input_data_format: Channels = None,
) -> np.ndarray:
    """The image with ``padding`` around: everywhere, (before, after), or that of height and of width."""
    old = _channels(image, input_data_format)

    def pairs(value: Any) -> list[tuple[Any, Any]]:
        if isinstance(value, int | float):
            return [(value, value)] * 2
        values = list(value)
        if not isinstance(values[0], int | float):
            return [tuple(item) for item in values] if len(values) == 2 else [tuple(values[0])] * 2
        return [(values[0], values[-1])] * 2

    at = 0 if old is ChannelDimension.LAST else -3
    widths = pairs(padding)
    if at == 0:
        widths = [*widths, (0, 0)]
    widths = [(0, 0)] * (image.ndim - len(widths)) + widths
    chosen: Any = {"replicate": "edge"}.get(PaddingMode(mode).value, PaddingMode(mode).value)
    if chosen == "constant":
        fill = pairs(constant_values)
        fill = [(0, 0)] * (image.ndim - 2 - (at == 0)) + fill + [(0, 0)] * (at == 0)
        padded = np.pad(image, widths, mode="constant", constant_values=fill)
    else:
        padded = np.pad(image, widths, mode=chosen)
    return to_channel_dimension_format(padded, data_format, old)


def center_crop(
    image: np.ndarray, size: Sequence[int], data_format: Channels = None, input_data_format: Channels = None
) -> np.ndarray:
    """The middle (height, width) of the image, with zeros where it is smaller."""
    old = _channels(image, input_data_format)
    values = to_channel_dimension_format(image, ChannelDimension.FIRST, old)
    height, width = values.shape[-2:]
    tall, wide = int(size[0]), int(size[1])
    top, left = (height - tall) // 2, (width - wide) // 2
    if tall > height or wide > width:
        high, broad = max(tall, height), max(wide, width)
        down, right = -(-(high - height) // 2), -(-(broad - width) // 2)
        canvas = np.zeros((*values.shape[:-2], high, broad), dtype=values.dtype)
        canvas[..., down : down + height, right : right + width] = values
        values, top, left = canvas, top + down, left + right
    values = values[..., max(0, top) : top + tall, max(0, left) : left + wide]
    return to_channel_dimension_format(values, data_format or old, ChannelDimension.FIRST)


def get_resize_output_image_size(
    input_image: np.ndarray,
    size: Any,
    default_to_square: bool = True,
    max_size: int | None = None,
    input_data_format: Channels = None,
) -> tuple[int, int]:
    """(height, width): ``size`` itself, a square of it, or the image's shape with it as the shorter side."""
    if not isinstance(size, int):
        if len(size) == 2:
            return int(size[0]), int(size[1])
        (size,) = size
    if default_to_square:
        return size, size
    height, width = get_image_size(input_image, input_data_format)
    short, long = sorted((height, width))
    new_short, new_long = size, int(size * long / short)
    if max_size is not None:
        if max_size <= size:
            raise ValueError(f"max_size={max_size} must be larger than the shorter side, {size}")
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_short, new_long) if height <= width else (new_long, new_short)


def get_size_dict(
    size: Any = None,
    max_size: int | None = None,
    height_width_order: bool = True,
    default_to_square: bool = True,
    param_name: str = "size",
) -> dict[str, int]:
    """A size as the mapping that processors keep: height and width, or shortest and longest edge."""
    if isinstance(size, dict):
        return size
    if isinstance(size, int) and default_to_square:
        return {"height": size, "width": size}
    if isinstance(size, int):
        return {"shortest_edge": size} | ({} if max_size is None else {"longest_edge": max_size})
    if size is None and max_size is not None:
        return {"longest_edge": max_size}
    if isinstance(size, list | tuple) and len(size) == 2:
        height, width = size if height_width_order else size[::-1]
        return {"height": height, "width": width}
    raise ValueError(f"{param_name}={size!r} is neither a number, a pair, nor a mapping")


def select_best_resolution(original_size: Sequence[int], possible_resolutions: Any) -> tuple[int, int]:
    """Of (height, width) pairs the one that keeps most of an image, and wastes least."""
    height, width = original_size

    def merit(option: Sequence[int]) -> tuple[int, int]:
        tall, wide = option
        scale = min(wide / width, tall / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        return kept, kept - wide * tall

    best = max(possible_resolutions, key=merit)
    return tuple(best)
