"""Image processors of classifiers and of contrastive and captioning models: one picture, one array."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ConfigError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry
from zoo_vision.processing.base import (
    CLIP_MEAN,
    CLIP_STD,
    IMAGENET_MEAN,
    IMAGENET_STD,
    ONES,
    CroppingImageProcessor,
    ImageProcessor,
    StandardImageProcessor,
    shortest,
    square,
)
from zoo_vision.processing.levels import Levels
from zoo_vision.processing.picture import ON_WHITE, Picture
from zoo_vision.processing.resample import (
    BICUBIC,
    BILINEAR,
    LANCZOS,
    NEAREST,
    Size,
    resize,
    shortest_edge,
    target_size,
)


class ViTImageProcessor(StandardImageProcessor):
    do_convert_rgb: bool | None = None


class SiglipImageProcessor(ViTImageProcessor):
    resample: int = BICUBIC


class BlipImageProcessor(StandardImageProcessor):
    size: Size = square(384)
    resample: int = BICUBIC
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool = True


class PvtImageProcessor(StandardImageProcessor):
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD


class DeiTImageProcessor(CroppingImageProcessor):
    size: Size = square(256)


class EfficientFormerImageProcessor(CroppingImageProcessor):
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD

    def resized(self, picture: Picture) -> Picture:
        if "shortest_edge" in self.size:
            return resize(picture, shortest_edge(picture.size, self.size["shortest_edge"]), self.resample)
        return super().resized(picture)


class CLIPImageProcessor(CroppingImageProcessor):
    size: Size = shortest(224)
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool = True


class BitImageProcessor(CLIPImageProcessor):
    pass


class ChineseCLIPImageProcessor(CLIPImageProcessor):
    pass


class VideoLlavaImageProcessor(CLIPImageProcessor):
    """As of CLIP; the pixels are called `pixel_values_images`, since a batch has videos as well."""

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        found = super().preprocess(images, **kwargs)
        return BatchFeature({"pixel_values_images": found["pixel_values"]})


class ViTHybridImageProcessor(CLIPImageProcessor):
    pass


class LlavaImageProcessor(CLIPImageProcessor):
    do_pad: bool = False

    def arrange(self, picture: Picture) -> Picture:
        if self.do_pad:
            mean = [int(value * 255) for value in np.atleast_1d(self.image_mean)]
            picture = geometry.pad_square(picture, mean)
        return super().arrange(picture)


class ChameleonImageProcessor(CLIPImageProcessor):
    """Transparent pixels are laid over white."""

    mode = None
    size: Size = shortest(512)
    resample: int = LANCZOS
    crop_size: Size = square(512)
    rescale_factor: float = 0.0078
    image_mean: list[float] = ONES
    image_std: list[float] = ONES

    def arrange(self, picture: Picture) -> Picture:
        return super().arrange(over_white(picture))


def over_white(picture: Picture) -> Picture:
    """The picture in RGB, its transparent pixels blended with white."""
    if isinstance(picture.pixels, np.ndarray):
        return picture
    image = picture.pixels
    if image.mode == "RGB":
        return picture
    rgba = np.asarray(image.convert("RGBA"))
    if not (rgba[:, :, 3] < 255).any():
        return Picture(image.convert("RGB"))
    alpha = rgba[:, :, 3:] / 255
    return Picture(((1 - alpha) * 255 + alpha * rgba[:, :, :3]).astype(np.uint8))


class MobileNetV1ImageProcessor(CroppingImageProcessor):
    size: Size = shortest(256)
    resample: int = BILINEAR


class LevitImageProcessor(CroppingImageProcessor):
    """A shortest edge is enlarged by 256/224 before the crop."""

    size: Size = shortest(224)
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD

    def resized(self, picture: Picture) -> Picture:
        wanted = self.size
        if "shortest_edge" in wanted:
            size = shortest_edge(picture.size, int(256 / 224 * wanted["shortest_edge"]))
            return resize(picture, size, self.resample)
        return super().resized(picture)


class ConvNextImageProcessor(StandardImageProcessor):
    """Below 384, resize by ``crop_pct`` larger and crop the middle; from 384 on, resize to a square."""

    size: Size = shortest(384)
    crop_pct: float = 224 / 256

    def arrange(self, picture: Picture) -> Picture:
        if not self.do_resize:
            return picture
        side = self.size.get("shortest_edge")
        if side is None:
            raise ConfigError(f"size={self.size} must have shortest_edge")
        if side >= 384:
            return resize(picture, (side, side), self.resample)
        larger = resize(picture, shortest_edge(picture.size, int(side / self.crop_pct)), self.resample)
        return geometry.center_crop(larger, side, side)


class PoolFormerImageProcessor(CroppingImageProcessor):
    """Resize by ``crop_pct`` larger than the crop."""

    size: Size = shortest(224)
    crop_pct: float | None = 0.9
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD

    def resized(self, picture: Picture) -> Picture:
        if self.crop_pct is None:
            return super().resized(picture)
        if "shortest_edge" in self.size:
            side = int(self.size["shortest_edge"] / self.crop_pct)
            return resize(picture, shortest_edge(picture.size, side), self.resample)
        height, width = self.size["height"], self.size["width"]
        if height == width:
            return resize(picture, shortest_edge(picture.size, int(height / self.crop_pct)), self.resample)
        return resize(picture, (int(height / self.crop_pct), int(width / self.crop_pct)), self.resample)


class PerceiverImageProcessor(CroppingImageProcessor):
    """Crop the middle in proportion to the shorter side, then resize."""

    crop_size: Size = square(256)
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD

    def arrange(self, picture: Picture) -> Picture:
        if self.do_center_crop:
            least = min(picture.size)
            height = int(self.size["height"] / self.crop_size["height"] * least)
            width = int(self.size["width"] / self.crop_size["width"] * least)
            picture = geometry.center_crop(picture, height, width)
        return self.resized(picture) if self.do_resize else picture


class TextNetImageProcessor(CroppingImageProcessor):
    """Sides are rounded up to multiples of ``size_divisor``."""

    size: Size = shortest(640)
    size_divisor: int = 32
    resample: int = BILINEAR
    do_center_crop: bool = False
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD
    do_convert_rgb: bool = True

    def resized(self, picture: Picture) -> Picture:
        height, width = target_size(picture.size, self.size)
        divisor = self.size_divisor
        size = geometry.up_to_multiple(height, divisor), geometry.up_to_multiple(width, divisor)
        return resize(picture, size, self.resample)


class EfficientNetImageProcessor(CroppingImageProcessor):
    """``rescale_offset`` moves values to [-1, 1]; ``include_top`` divides by the deviation once more."""

    size: Size = square(346)
    resample: int = NEAREST
    do_center_crop: bool = False
    crop_size: Size = square(289)
    rescale_offset: bool = False
    include_top: bool = True

    def levels(self) -> Levels:
        plain = super().levels()
        offset = 1.0 if self.rescale_offset and self.do_rescale else 0.0
        again = self.image_std if self.include_top else None
        return replace(plain, offset=offset, divide_again=again)


class IdeficsImageProcessor(ImageProcessor):
    """Squares of ``image_size``, transparent pixels on white."""

    mode = ON_WHITE
    image_size: int = 224
    image_num_channels: int = 3
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: ClassVar[bool] = True

    def arrange(self, picture: Picture) -> Picture:
        return resize(picture, (self.image_size, self.image_size), BICUBIC)
