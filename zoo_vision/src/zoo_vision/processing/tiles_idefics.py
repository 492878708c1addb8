"""Image processors of Idefics 2 and 3 and SmolVLM: samples of several pictures, perhaps cut, then padded."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry
from zoo_vision.processing.base import Call, StandardImageProcessor, shortest
from zoo_vision.processing.parallel import map_items, split
from zoo_vision.processing.picture import (
    FIRST,
    LAST,
    ON_WHITE,
    Picture,
    check_area,
    converted,
    nested_list,
)
from zoo_vision.processing.resample import LANCZOS, Size, resize

Extent = tuple[int, int]


class SampleImageProcessor(StandardImageProcessor):
    """Samples of pictures to (samples, pictures, 3, height, width), padded in number and in size."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "pixel_attention_mask"]
    mode = ON_WHITE
    do_convert_rgb: bool = True
    do_pad: bool = True
    do_image_splitting: bool = False

    lists: ClassVar[bool] = False
    """Whether the outputs are lists of arrays when no kind of array is asked for."""

    def cut(self, picture: Picture) -> tuple[list[Picture], int, int]:
        """The pictures that the model sees for one, and the rows and columns it was cut into (0 if not)."""
        raise NotImplementedError

    def preprocess(
        self,
        images: Any,
        *,
        return_row_col_info: bool = False,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch of samples; a flat list of pictures is one sample.

        Args:
            images: see ``ImageProcessor.preprocess``; a list of lists gives the pictures of each sample.
            return_row_col_info: also return ``rows`` and ``cols``: how each picture was cut.

        Returns:
            ``pixel_values`` (samples, pictures, 3, height, width) and ``pixel_attention_mask`` (samples,
            pictures, height, width), 1 where there are pixels.
        """
        run, call = self.begin(kwargs)
        samples = nested_list(images)

        def one(source: Any) -> tuple[list[Picture], int, int]:
            return run.cut(run.opened(source, call))

        flat = [source for sample in samples for source in sample]
        done = split(map_items(one, flat, threads=call.threads), [len(sample) for sample in samples])
        groups = [[part for parts, _, _ in sample for part in parts] for sample in done]
        data: dict[str, Any] = {}
        if run.do_pad:
            data["pixel_values"], data["pixel_attention_mask"] = run.padded(groups, call)
        else:
            data["pixel_values"] = [list(run.finish(group, call)) for group in groups]
        if call.return_tensors is None and run.lists:
            data = {name: [list(sample) for sample in value] for name, value in data.items()}
        out = BatchFeature(data, call.return_tensors)
        if return_row_col_info:
            out["rows"] = [[rows for _, rows, _ in sample] for sample in done]
            out["cols"] = [[columns for _, _, columns in sample] for sample in done]
        return out

    def padded(self, groups: list[list[Picture]], call: Call) -> tuple[np.ndarray, np.ndarray]:
        """Values and mask of all samples, zeros where a sample has fewer or smaller pictures."""
        order, levels = call.order, self.levels()
        height, width = geometry.largest(picture.size for group in groups for picture in group)
        count = max(len(group) for group in groups)
        check_area(height * len(groups) * count, width, "the batch")
        shape = (3, height, width) if order == FIRST else (height, width, 3)
        values = np.zeros((len(groups), count, *shape), dtype=np.float32)
        mask = np.zeros((len(groups), count, height, width), dtype=np.int64)

        def fill(entry: tuple[Picture, np.ndarray, np.ndarray]) -> None:
            picture, out, covered = entry
            rows, columns = picture.size
            covered[:rows, :columns] = 1
            part = out[:rows, :columns] if order == LAST else out[:, :rows, :columns]
            levels.into(picture, part, data_format=order)

        entries = [
            (picture, values[place, number], mask[place, number])
            for place, group in enumerate(groups)
            for number, picture in enumerate(group)
        ]
        map_items(fill, entries, threads=call.threads)
        return values, mask


class Idefics2ImageProcessor(SampleImageProcessor):
    """Sides between 378 and 980; cut into four quarters and the whole where asked for."""

    size: Size = shortest(378, 980)

    def cut(self, picture: Picture) -> tuple[list[Picture], int, int]:
        parts = [picture]
        if self.do_image_splitting:
            height, width = picture.size
            half, middle = height // 2, width // 2
            parts = [
                geometry.crop(picture, 0, 0, half, middle),
                geometry.crop(picture, 0, middle, half, width - middle),
                geometry.crop(picture, half, 0, height - half, middle),
                geometry.crop(picture, half, middle, height - half, width - middle),
                picture,
            ]
        return [self.arrange(part) for part in parts], 0, 0

    def resized(self, picture: Picture) -> Picture:
        if "shortest_edge" not in self.size:
            return super().resized(picture)
        height, width = picture.size
        low, high = self.size["shortest_edge"], self.size["longest_edge"]
        ratio = width / height
        if width >= height and width > high:
            height, width = int(high / ratio), high
        elif height > width and height > high:
            height, width = high, int(high * ratio)
        return resize(picture, (max(height, low), max(width, low)), self.resample)


def even(length: int) -> int:
    """``length``, one more when it is odd."""
    return length + length % 2


def to_longest(size: Extent, longest: int) -> Extent:
    """Longer side ``longest``, the other in proportion and even."""
    height, width = size
    ratio = width / height
    if width >= height:
        return max(even(int(longest / ratio)), 1), longest
    return longest, max(even(int(longest * ratio)), 1)


class Idefics3ImageProcessor(SampleImageProcessor):
    """Enlarged to ``size``, cut into tiles of ``max_image_size``, the whole picture last."""

    mode = None
    lists = True
    size_fields: ClassVar[tuple[str, ...]] = ("size", "max_image_size")
    size: Size = {"longest_edge": 4 * 364}
    resample: int = LANCZOS
    do_image_splitting: bool = True
    max_image_size: Size = {"longest_edge": 364}

    def resized(self, picture: Picture) -> Picture:
        if "longest_edge" not in self.size:
            return super().resized(picture)
        height, width = to_longest(picture.size, self.size["longest_edge"])
        limit = 4096
        if max(height, width) > limit:
            ratio = width / height
            height, width = (int(limit / ratio), limit) if width >= height else (limit, int(limit * ratio))
        return resize(picture, (max(height, 1), max(width, 1)), self.resample)

    def cut(self, picture: Picture) -> tuple[list[Picture], int, int]:
        picture = self.arrange(picture)
        side = self.max_image_size["longest_edge"]
        if not self.do_image_splitting:
            return [opaque(resize(picture, (side, side), self.resample))], 0, 0
        height, width = picture.size
        ratio = width / height
        if width >= height:
            wide = math.ceil(width / side) * side
            tall = math.ceil(int(wide / ratio) / side) * side
        else:
            tall = math.ceil(height / side) * side
            wide = math.ceil(int(tall * ratio) / side) * side
        picture = resize(picture, (tall, wide), self.resample)
        rows, columns = tall // side, wide // side
        if rows <= 1 and columns <= 1:
            return [opaque(picture)], 0, 0
        parts = geometry.tiles(picture, side, side)
        whole = resize(picture, (side, side), self.resample)
        # Transparency goes last: it takes part in the resampling.
        return [opaque(part) for part in (*parts, whole)], rows, columns


def opaque(picture: Picture) -> Picture:
    """The picture in RGB, laid over white."""
    if isinstance(picture.pixels, Image.Image):
        return Picture(converted(picture.pixels, ON_WHITE), picture.scale)
    return picture


class SmolVLMImageProcessor(Idefics3ImageProcessor):
    pass
