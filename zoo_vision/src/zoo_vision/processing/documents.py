"""Image processors of documents: Donut, Nougat, LayoutLM."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from zoo_core.errors import MissingDependency, ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry
from zoo_vision.processing.base import IMAGENET_MEAN, IMAGENET_STD, StandardImageProcessor
from zoo_vision.processing.picture import Picture, flat_list
from zoo_vision.processing.resample import BICUBIC, Size, resize, shortest_edge


class DonutImageProcessor(StandardImageProcessor):
    """A page: turned to the paper's orientation, enlarged to its shorter side, fitted, centred on black."""

    size: Size = {"height": 2560, "width": 1920}
    do_thumbnail: bool = True
    do_align_long_axis: bool = False
    do_pad: bool = True

    def checked(self, name: str, value: Any) -> Any:
        # Older files hold (width, height).
        if name == "size" and isinstance(value, (list, tuple)):
            value = tuple(value)[::-1]
        return super().checked(name, value)

    def arrange(self, picture: Picture) -> Picture:
        height, width = self.size["height"], self.size["width"]
        if self.do_align_long_axis:
            picture = turned(picture, height, width)
        if self.do_resize:
            picture = resize(picture, shortest_edge(picture.size, min(height, width)), self.resample)
        if self.do_thumbnail:
            picture = fitted(picture, height, width)
        return self.on_paper(picture) if self.do_pad else picture

    def on_paper(self, picture: Picture) -> Picture:
        """The picture in the middle of a page of ``size``."""
        down, right = self.size["height"] - picture.size[0], self.size["width"] - picture.size[1]
        if min(down, right) < 0:
            raise ProcessingError(
                f"{picture.size[1]}x{picture.size[0]} pixels do not fit on a page of "
                f"{self.size['width']}x{self.size['height']}; leave do_resize and do_thumbnail on"
            )
        top, left = down // 2, right // 2
        return geometry.pad(picture, top=top, bottom=down - top, left=left, right=right - left)


def turned(picture: Picture, height: int, width: int) -> Picture:
    """The picture turned clockwise when it lies and the page stands, or the reverse."""
    have_height, have_width = picture.size
    if (width < height and have_width > have_height) or (width > height and have_width < have_height):
        return Picture(np.rot90(picture.array(), 3), picture.scale)
    return picture


def fitted(picture: Picture, height: int, width: int) -> Picture:
    """The picture shrunk to at most ``height`` x ``width``, keeping its aspect ratio."""
    have_height, have_width = picture.size
    new_height, new_width = min(have_height, height), min(have_width, width)
    if (new_height, new_width) == picture.size:
        return picture
    if have_height > have_width:
        new_width = int(have_width * new_height / have_height)
    elif have_width > have_height:
        new_height = int(have_height * new_width / have_width)
    return resize(picture, (new_height, new_width), BICUBIC, reducing_gap=2.0)


class NougatImageProcessor(DonutImageProcessor):
    """Donut's page after cutting off white margins."""

    do_crop_margin: bool = True
    size: Size = {"height": 896, "width": 672}
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD

    def arrange(self, picture: Picture) -> Picture:
        return super().arrange(without_margin(picture) if self.do_crop_margin else picture)


def without_margin(picture: Picture, threshold: int = 200) -> Picture:
    """The smallest rectangle with everything darker than ``threshold`` once the contrast is stretched."""
    image = picture.image().pixels
    assert isinstance(image, Image.Image)
    grey = np.asarray(image.convert("L")).astype(np.uint8)
    low, high = int(grey.min()), int(grey.max())
    if low == high:
        return picture
    ink = (grey.astype(np.float64) - low) / (high - low) * 255 < threshold
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    height, width = int(rows[-1] - rows[0]) + 1, int(columns[-1] - columns[0]) + 1
    return geometry.crop(picture, int(rows[0]), int(columns[0]), height, width)


class LayoutLMv3ImageProcessor(StandardImageProcessor):
    """A page for a layout model; with ``apply_ocr`` also its words and their boxes."""

    model_input_names: ClassVar[list[str]] = ["pixel_values"]
    apply_ocr: bool = True
    ocr_lang: str | None = None
    tesseract_config: str | None = ""

    def __init__(self, **values: Any) -> None:
        factor = values.pop("rescale_value", None)
        if factor is not None:
            values.setdefault("rescale_factor", factor)
        super().__init__(**values)

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values``, and with ``apply_ocr`` per image ``words`` and their ``boxes`` (x0, y0, x1, y1),
            0..1000.

        Raises:
            MissingDependency: ``apply_ocr`` without pytesseract.
        """
        out = super().preprocess(images, **kwargs)
        run, call = self.begin(kwargs)
        if run.apply_ocr:
            pages = [run.opened(one, call) for one in flat_list(images)]
            read = [read_words(page, run.ocr_lang, run.tesseract_config or "") for page in pages]
            out["words"] = [words for words, _ in read]
            out["boxes"] = [boxes for _, boxes in read]
        return out


class LayoutLMv2ImageProcessor(LayoutLMv3ImageProcessor):
    """Levels 0..255 in the order blue, green, red."""

    do_rescale: ClassVar[bool] = False  # type: ignore[misc]
    rescale_factor: ClassVar[float] = 1 / 255  # type: ignore[misc]
    do_normalize: ClassVar[bool] = False  # type: ignore[misc]
    image_mean: ClassVar[None] = None  # type: ignore[misc]
    image_std: ClassVar[None] = None  # type: ignore[misc]
    do_flip_channel_order: ClassVar[bool] = True


def read_words(page: Picture, language: str | None, options: str) -> tuple[list[str], list[list[int]]]:
    """The words that tesseract finds on a page, and their boxes in thousandths of its sides.

    Raises:
        MissingDependency: pytesseract is not installed.
    """
    try:
        tesseract: Any = importlib.import_module("pytesseract")
    except ImportError as error:
        raise MissingDependency(
            "apply_ocr=True reads the page with tesseract: pip install 'zoo-vision[ocr]' and the program; "
            "or pass apply_ocr=False and your own words and boxes to the tokenizer"
        ) from error
    found = tesseract.image_to_data(page.image().pixels, lang=language, output_type="dict", config=options)
    height, width = page.size
    words, boxes = [], []
    columns = (found[key] for key in ("text", "left", "top", "width", "height"))
    for word, left, top, wide, tall in zip(*columns, strict=True):
        if word.strip():
            words.append(word)
            box = (left / width, top / height, (left + wide) / width, (top + tall) / height)
            boxes.append([int(1000 * side) for side in box])
    return words, boxes
