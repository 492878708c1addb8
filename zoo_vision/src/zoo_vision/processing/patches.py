"""Image processors that give a sequence of patches: Qwen2-VL, GLM-4V, Pix2Struct, Kosmos 2.5, SigLIP 2."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing.base import (
    CLIP_MEAN,
    CLIP_STD,
    HALF,
    ImageProcessor,
    StandardImageProcessor,
    shortest,
    square,
)
from zoo_vision.processing.parallel import map_items
from zoo_vision.processing.picture import Picture, check_area, flat_list
from zoo_vision.processing.resample import BICUBIC, BILINEAR, Size, resize, smart_size

Extent = tuple[int, int]


def vision_patches(
    frames: np.ndarray, *, patch: int, temporal: int, merge: int
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Frames (time, channels, height, width) as patches, blocks of ``merge`` x ``merge`` in order (Qwen2-VL).

    Returns:
        (patches, channels * temporal * patch * patch) and the grid (time, rows, columns).
    """
    if missing := -len(frames) % temporal:
        frames = np.concatenate([frames, np.repeat(frames[-1:], missing, axis=0)])
    time, channels, height, width = frames.shape
    grid = time // temporal, height // patch, width // patch
    cut = frames.reshape(
        grid[0], temporal, channels, grid[1] // merge, merge, patch, grid[2] // merge, merge, patch
    )
    flat = cut.transpose(0, 3, 6, 4, 7, 2, 1, 5, 8)
    return flat.reshape(math.prod(grid), channels * temporal * patch * patch), grid


class Qwen2VLImageProcessor(StandardImageProcessor):
    """Sides to multiples of the merged patch, the area between ``min_pixels`` and ``max_pixels``."""

    model_input_names: ClassVar[list[str]] = [
        "pixel_values",
        "image_grid_thw",
        "pixel_values_videos",
        "video_grid_thw",
    ]
    size_fields: ClassVar[tuple[str, ...]] = ("size",)
    size: Size = shortest(56 * 56, 28 * 28 * 1280)
    min_pixels: int | None = None
    max_pixels: int | None = None
    resample: int = BICUBIC
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool = True
    patch_size: int = 14
    temporal_patch_size: int = 2
    merge_size: int = 2

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        if self.min_pixels is not None or self.max_pixels is not None:
            self.size = {
                "shortest_edge": self.min_pixels or self.size["shortest_edge"],
                "longest_edge": self.max_pixels or self.size["longest_edge"],
            }
        if "min_pixels" in self.fields():
            self.min_pixels, self.max_pixels = self.size["shortest_edge"], self.size["longest_edge"]

    def adjusted(self, overrides: dict[str, Any]) -> Any:
        run = super().adjusted(overrides)
        if overrides.get("size") is None:
            for name, edge in (("min_pixels", "shortest_edge"), ("max_pixels", "longest_edge")):
                if overrides.get(name) is not None:
                    run.size = {**run.size, edge: overrides[name]}
        return run

    def patched_size(self, size: Extent, **overrides: Any) -> Extent:
        """(height, width) that a picture of ``size`` is resampled to."""
        return smart_size(
            size,
            factor=overrides.get("patch_size", self.patch_size)
            * overrides.get("merge_size", self.merge_size),
            min_pixels=overrides.get("min_pixels", self.size["shortest_edge"]),
            max_pixels=overrides.get("max_pixels", self.size["longest_edge"]),
        )

    def resized(self, picture: Picture) -> Picture:
        return resize(picture, self.patched_size(picture.size), self.resample)

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (all patches, channels * temporal * patch * patch) and ``image_grid_thw``
            (images, 3): patches in time, rows and columns.
        """
        run, call = self.begin(kwargs)

        def one(picture: Picture) -> tuple[np.ndarray, tuple[int, int, int]]:
            arranged = run.arrange(picture)
            side = run.patch_size * run.merge_size
            if arranged.size[0] % side or arranged.size[1] % side:
                height, width = arranged.size
                raise ProcessingError(f"{width}x{height} is no multiple of {side}; leave do_resize on")
            values = run.levels().apply(arranged)[None]
            return vision_patches(
                values, patch=run.patch_size, temporal=run.temporal_patch_size, merge=run.merge_size
            )

        done = run.open_all(flat_list(images), call, one)
        data = {
            "pixel_values": np.concatenate([patches for patches, _ in done]),
            "image_grid_thw": np.asarray([grid for _, grid in done], dtype=np.int64),
        }
        return BatchFeature(data, call.return_tensors)

    def get_number_of_image_patches(
        self, height: int, width: int, images_kwargs: dict[str, Any] | None = None
    ) -> int:
        """How many patches a picture of this size becomes."""
        kwargs = images_kwargs or {}
        patch = kwargs.get("patch_size", self.patch_size)
        tall, wide = self.patched_size((height, width), **kwargs)
        return (tall // patch) * (wide // patch)


class Glm4vImageProcessor(Qwen2VLImageProcessor):
    """The area is bounded over the frames of one temporal patch."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "image_grid_thw"]
    size: Size = shortest(112 * 112, 28 * 28 * 15000)
    min_pixels: ClassVar[None] = None  # type: ignore[misc,assignment]
    max_pixels: ClassVar[None] = None  # type: ignore[misc,assignment]

    def patched_size(self, size: Extent, **overrides: Any) -> Extent:
        factor = overrides.get("patch_size", self.patch_size) * overrides.get("merge_size", self.merge_size)
        return smart_size(
            size,
            factor=factor,
            min_pixels=self.size["shortest_edge"],
            max_pixels=self.size["longest_edge"],
            frames=overrides.get("temporal_patch_size", self.temporal_patch_size),
            least=factor,
        )


# Pix2Struct


def flattened_patches(values: np.ndarray, patch: Size, limit: int) -> tuple[np.ndarray, Extent, Extent]:
    """A picture (height, width, channels) as at most ``limit`` numbered patches (Pix2Struct).

    Returns:
        (limit, 2 + patch area * channels), each patch after its row and column counted from 1, rows of zeros
        last; the size it was resampled to; rows and columns.
    """
    height, width, channels = values.shape
    tall, wide = patch["height"], patch["width"]
    scale = math.sqrt(limit * (tall / height) * (wide / width))
    rows = max(min(math.floor(scale * height / tall), limit), 1)
    columns = max(min(math.floor(scale * width / wide), limit), 1)
    size = max(rows * tall, 1), max(columns * wide, 1)
    check_area(size[0], size[1], "the resized image")
    layers = [
        Image.fromarray(np.ascontiguousarray(values[:, :, c], dtype=np.float32)).resize(
            (size[1], size[0]), Image.Resampling.BILINEAR
        )
        for c in range(channels)
    ]
    grown = np.stack([np.asarray(layer) for layer in layers], axis=-1)
    cut = grown.reshape(rows, tall, columns, wide, channels).transpose(0, 2, 1, 3, 4)
    out = np.zeros((limit, 2 + tall * wide * channels), dtype=np.float32)
    place = out[: rows * columns]
    place[:, 0] = np.repeat(np.arange(1, rows + 1), columns)
    place[:, 1] = np.tile(np.arange(1, columns + 1), rows)
    place[:, 2:] = cut.reshape(rows * columns, -1)
    return out, size, (rows, columns)


def standardized(values: np.ndarray) -> np.ndarray:
    """The picture with mean 0 and deviation 1 over all its values."""
    values = values.astype(np.float32)
    deviation = max(float(np.std(values)), 1.0 / math.sqrt(values.size))
    return (values - np.float32(np.mean(values))) / np.float32(deviation)


class Pix2StructImageProcessor(ImageProcessor):
    """Patches of a picture that keeps its aspect ratio, as many as fit; a question is drawn above it."""

    model_input_names: ClassVar[list[str]] = ["flattened_patches", "attention_mask"]
    size_fields: ClassVar[tuple[str, ...]] = ("patch_size",)
    call_names: ClassVar[tuple[str, ...]] = (*ImageProcessor.call_names, "header_text", "font_path")
    patch_size: Size = square(16)
    do_normalize: bool = True
    do_convert_rgb: bool = True
    max_patches: int = 2048
    is_vqa: bool = False

    def preprocess(
        self,
        images: Any,
        *,
        header_text: Any = None,
        font_path: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch.

        Args:
            images: see ``ImageProcessor.preprocess``.
            header_text: the question of each picture, which ``is_vqa`` needs.
            font_path: font to draw it in; Pillow's own when None.

        Returns:
            ``flattened_patches`` (images, max_patches, 2 + patch area * 3), each patch after its row and
            column, and ``attention_mask`` (images, max_patches).
        """
        run, call = self.begin(kwargs)
        sources = flat_list(images)
        texts: list[str | None] = [None] * len(sources)
        if run.is_vqa:
            if header_text is None:
                raise ProcessingError("is_vqa is set: pass the question as header_text")
            texts = [header_text] * len(sources) if isinstance(header_text, str) else list(header_text)
            if len(texts) != len(sources):
                raise ProcessingError(f"{len(sources)} images came with {len(texts)} header_text")

        def one(entry: tuple[Any, str | None]) -> tuple[np.ndarray, Extent, Extent, Extent]:
            picture = run.opened(entry[0], call)
            if entry[1] is not None:
                picture = with_header(picture, entry[1], font_path)
            values = standardized(picture.array()) if run.do_normalize else picture.array()
            return *flattened_patches(values, run.patch_size, run.max_patches), picture.size

        done = map_items(one, list(zip(sources, texts, strict=True)), threads=call.threads)
        return BatchFeature(run.outputs(done), call.return_tensors)

    def outputs(self, done: list[tuple[np.ndarray, Extent, Extent, Extent]]) -> dict[str, Any]:
        """The named outputs."""
        patches = [found for found, _, _, _ in done]
        return {
            "flattened_patches": patches,
            "attention_mask": [(found.sum(axis=-1) != 0).astype(np.float32) for found in patches],
        }


class Kosmos2_5ImageProcessor(Pix2StructImageProcessor):
    """Also says how large the picture became and how it was cut."""

    model_input_names: ClassVar[list[str]] = ["flattened_patches"]
    max_patches: int = 4096
    is_vqa: ClassVar[bool] = False  # type: ignore[misc]

    def outputs(self, done: list[tuple[np.ndarray, Extent, Extent, Extent]]) -> dict[str, Any]:
        found = super().outputs(done)
        found["width"] = [size[1] for _, size, _, _ in done]
        found["height"] = [size[0] for _, size, _, _ in done]
        found["rows"] = [grid[0] for _, _, grid, _ in done]
        found["cols"] = [grid[1] for _, _, grid, _ in done]
        return found


def with_header(picture: Picture, text: str, font_path: Any = None) -> Picture:
    """The picture below its question, drawn in black on white, both as wide as the wider."""
    import textwrap

    font: Any = ImageFont.truetype(font_path, 36) if font_path else ImageFont.load_default(36)
    lines = "\n".join(textwrap.wrap(text, 80))
    _, _, right, bottom = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox((0, 0), lines, font)
    header = Image.new("RGB", (int(right) + 10, int(bottom) + 10), "white")
    ImageDraw.Draw(header).multiline_text((5, 5), lines, "black", font)
    height, width = picture.size
    wide = max(width, header.width)
    tall, above = int(height * wide / width), int(header.height * wide / header.width)
    check_area(tall + above, wide, "the image with its header")
    page = Image.new("RGB", (wide, tall + above), "white")
    page.paste(header.resize((wide, above)), (0, 0))
    source = picture.image().pixels
    assert isinstance(source, Image.Image)
    page.paste(source.resize((wide, tall)), (0, above))
    return Picture(page)


# SigLIP 2


def size_for_patches(size: Extent, patch: int, limit: int) -> Extent:
    """The largest (height, width) near this aspect ratio, in whole patches, of at most ``limit`` patches."""

    def scaled(scale: float) -> Extent:
        height, width = (max(patch, math.ceil(side * scale / patch) * patch) for side in size)
        return height, width

    tolerance = 1e-5
    low, high = tolerance / 10, 100.0
    while high - low >= tolerance:
        middle = (low + high) / 2
        height, width = scaled(middle)
        if (height / patch) * (width / patch) <= limit:
            low = middle
        else:
            high = middle
    return scaled(low)


def padded_patches(values: np.ndarray, side: int, limit: int) -> tuple[np.ndarray, np.ndarray, Extent]:
    """Values (height, width, channels) as patches (limit, side x side x channels), a mask, and the grid.

    Raises:
        ProcessingError: there are more than `limit` patches.
    """
    rows, columns = values.shape[0] // side, values.shape[1] // side
    if rows * columns > limit:
        raise ProcessingError(f"{rows * columns} patches exceed max_num_patches={limit}; leave do_resize on")
    cut = values[: rows * side, : columns * side].reshape(rows, side, columns, side, -1)
    flat = cut.transpose(0, 2, 1, 3, 4).reshape(rows * columns, -1)
    out = np.zeros((limit, flat.shape[1]), dtype=flat.dtype)
    out[: len(flat)] = flat
    return out, (np.arange(limit) < len(flat)).astype(np.int32), (rows, columns)


class Siglip2ImageProcessor(ImageProcessor):
    """At most ``max_num_patches`` patches per picture, the aspect ratio nearly kept."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "pixel_attention_mask", "spatial_shapes"]
    do_resize: bool = True
    resample: int = BILINEAR
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    do_convert_rgb: bool | None = None
    patch_size: int = 16
    max_num_patches: int = 256

    def resized(self, picture: Picture) -> Picture:
        size = size_for_patches(picture.size, self.patch_size, self.max_num_patches)
        return resize(picture, size, self.resample)

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` (images, max_num_patches, patch area * 3), ``pixel_attention_mask`` (images,
            max_num_patches) and ``spatial_shapes`` (images, 2): rows and columns of patches.
        """
        run, call = self.begin(kwargs)
        side, limit = run.patch_size, run.max_num_patches
        if side < 1 or limit < 1:
            raise ConfigError(f"patch_size={side} and max_num_patches={limit} must be at least 1")

        def one(picture: Picture) -> tuple[np.ndarray, np.ndarray, Extent]:
            return padded_patches(
                run.levels().apply(run.arrange(picture), data_format="channels_last"), side, limit
            )

        done = run.open_all(flat_list(images), call, one)
        data = {
            "pixel_values": [patches for patches, _, _ in done],
            "pixel_attention_mask": [mask for _, mask, _ in done],
            "spatial_shapes": [grid for _, _, grid in done],
        }
        return BatchFeature(data, call.return_tensors)
