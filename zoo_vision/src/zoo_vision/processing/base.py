"""The base of image processors: declare fields, and where it differs, the geometry of one picture."""

from __future__ import annotations

import copy
import difflib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature, ImageProcessingMixin, Preprocessor
from zoo_vision.processing import geometry
from zoo_vision.processing.levels import Levels
from zoo_vision.processing.parallel import map_items
from zoo_vision.processing.picture import FIRST, LAST, Picture, check_area, flat_list, open_picture
from zoo_vision.processing.resample import BICUBIC, BILINEAR, Size, resize, size_dict, target_size

IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
HALF, ONES = [0.5, 0.5, 0.5], [1.0, 1.0, 1.0]

STEPS: dict[str, Any] = {
    "do_convert_rgb": None,
    "do_resize": False,
    "size": None,
    "resample": BILINEAR,
    "do_center_crop": False,
    "crop_size": None,
    "do_pad": False,
    "do_rescale": False,
    "rescale_factor": 1 / 255,
    "do_normalize": False,
    "image_mean": None,
    "image_std": None,
    "do_flip_channel_order": False,
    "do_grayscale": False,
}
"""Settings that every processor understands, also where its class does not declare them."""


def square(side: int) -> Size:
    """A size of equal sides."""
    return {"height": side, "width": side}


def shortest(side: int, longest: int | None = None) -> Size:
    """A size by its shortest edge, bounded by ``longest`` where given."""
    return {"shortest_edge": side} if longest is None else {"shortest_edge": side, "longest_edge": longest}


def format_name(value: Any) -> str:
    """``channels_first`` or ``channels_last`` from a name or an enumeration."""
    name = str(getattr(value, "value", value) or FIRST)
    if name not in (FIRST, LAST):
        raise ConfigError(f"data_format must be {FIRST!r} or {LAST!r}, got {name!r}")
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """How one call wants its inputs read and its outputs made.

    Args:
        return_tensors: ``"np"``, ``"pt"``, or None for lists of arrays.
        data_format: ``"channels_first"`` or ``"channels_last"`` of what is returned.
        input_data_format: the same of arrays passed in; detected when None.
        threads: how many threads work on the batch; all cores when None. Results never depend on it.
    """

    return_tensors: Any = None
    data_format: Any = FIRST
    input_data_format: Any = None
    threads: int | None = None

    @property
    def order(self) -> str:
        """``data_format`` as a plain name."""
        return format_name(self.data_format)


CALL_NAMES = tuple(field.name for field in fields(Call))


class PicturePipeline(Preprocessor):
    """Settings and steps that image and video processors share: resize, crop, rescale, normalise.

    A subclass declares the fields of its settings file with their defaults. Where its geometry differs
    it overrides ``arrange`` (one picture), or ``finish`` (values of a batch).
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values"]
    size_fields: ClassVar[tuple[str, ...]] = ("size", "crop_size", "pad_size")
    mode: ClassVar[str | None] = "RGB"
    """Pillow mode that pictures are converted to on the way in."""
    call_names: ClassVar[tuple[str, ...]] = CALL_NAMES

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        for name, value in vars(self).items():
            setattr(self, name, self.checked(name, value))

    def checked(self, name: str, value: Any) -> Any:
        """``value`` for the field ``name`` in its usual form.

        Raises:
            ConfigError: a value that the field cannot have.
        """
        if name in self.size_fields and value is not None:
            return size_dict(value, name, self.fields().get(name))
        if name in ("image_mean", "image_std") and value is not None:
            numbers = np.asarray(value)
            if numbers.dtype.kind not in "uif" or numbers.ndim > 1 or not np.isfinite(numbers).all():
                raise ConfigError(f"{name}={value!r} must be one finite number per channel")
            return value if isinstance(value, (int, float)) else [float(number) for number in numbers]
        return value

    def step(self, name: str) -> Any:
        """A setting by name: the instance's, the file's, or what is usual where neither says."""
        value = getattr(self, name, None)
        return STEPS[name] if value is None else value

    def call_keywords(self) -> frozenset[str]:
        return frozenset((*self.fields(), *STEPS, *self.call_names))

    def begin(self, kwargs: dict[str, Any]) -> tuple[Self, Call]:
        """This processor with the settings of one call, and how the call wants its inputs and outputs."""
        call = Call(**{name: kwargs[name] for name in CALL_NAMES if name in kwargs})
        own = {name: value for name, value in kwargs.items() if name not in CALL_NAMES}
        return self.adjusted(own), call

    def adjusted(self, overrides: dict[str, Any]) -> Self:
        """A copy with settings of one call; None means unchanged, an unknown name is warned about."""
        known = {*self.fields(), *STEPS, *self.extra}
        made = copy.copy(self)
        made.extra = dict(self.extra)
        for name, value in overrides.items():
            name = self.renamed.get(name, name)
            if name not in known:
                near = difflib.get_close_matches(name, sorted(self.call_keywords()), 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                warnings.warn(f"{type(self).__name__} ignores the keyword {name!r}{hint}", stacklevel=4)
            elif value is not None:
                setattr(made, name, self.checked(name, value))
        return made

    @staticmethod
    def batch(
        data: dict[str, Any], return_tensors: Any, *, listed: Sequence[str] = ("pixel_values",)
    ) -> BatchFeature:
        """The outputs by name; without ``return_tensors`` those in ``listed`` become lists of arrays."""
        if return_tensors is None:
            data = {
                name: list(value) if name in listed and isinstance(value, np.ndarray) else value
                for name, value in data.items()
            }
        return BatchFeature(data, return_tensors)

    def opened(self, source: Any, call: Call) -> Picture:
        """One source as a picture; grey arrays get the three channels that the normalisation speaks of."""
        picture = open_picture(source, input_data_format=call.input_data_format, mode=self.mode)
        if picture.channels == 1 and self.step("do_normalize") and np.size(self.step("image_mean")) == 3:
            return Picture(np.repeat(picture.array(), 3, axis=2))
        return picture

    def open_all(self, sources: Sequence[Any], call: Call, work: Callable[[Picture], Any]) -> list[Any]:
        """``work`` on every source, opened in the same thread, so that few large pictures exist at a time."""

        def run(source: Any) -> Any:
            return work(self.opened(source, call))

        return map_items(run, sources, threads=call.threads)

    # One picture

    def arrange(self, picture: Picture) -> Picture:
        """Everything that moves pixels: grey, resize, crop."""
        if self.step("do_resize"):
            picture = self.resized(picture)
        if self.step("do_center_crop"):
            picture = self.cropped(picture)
        return picture

    def resized(self, picture: Picture) -> Picture:
        """The picture at the size that ``size`` asks for."""
        if self.step("size") is None:
            raise ConfigError(f"{type(self).__name__}: do_resize needs size")
        return resize(picture, target_size(picture.size, self.step("size")), self.step("resample"))

    def cropped(self, picture: Picture) -> Picture:
        """The middle of the picture, of the size ``crop_size``."""
        wanted = self.step("crop_size")
        if not wanted or "height" not in wanted:
            raise ConfigError(f"crop_size={wanted} must have height and width")
        return geometry.center_crop(picture, wanted["height"], wanted["width"])

    # Values

    def levels(self) -> Levels:
        """Rescaling and normalisation as the settings ask for."""
        normalize = self.step("do_normalize")
        return Levels(
            factor=self.step("rescale_factor") if self.step("do_rescale") else None,
            mean=self.step("image_mean") if normalize else None,
            std=self.step("image_std") if normalize else None,
            flip=bool(self.step("do_flip_channel_order")),
        )

    def finish(self, pictures: Sequence[Picture], call: Call) -> np.ndarray | list[np.ndarray]:
        """Values of all pictures: one array where their shapes agree, a list where they do not."""
        levels, order = self.levels(), call.order
        shapes = {(*picture.size, picture.channels, levels.dtype(picture)) for picture in pictures}
        if len(shapes) > 1:
            return map_items(lambda one: levels.apply(one, data_format=order), pictures, threads=call.threads)
        ((height, width, channels, dtype),) = shapes
        shape = (channels, height, width) if order == FIRST else (height, width, channels)
        batch = np.empty((len(pictures), *shape), dtype=dtype)
        map_items(
            lambda pair: levels.into(pair[0], pair[1], data_format=order),
            list(zip(pictures, batch, strict=True)),
            threads=call.threads,
        )
        return batch

    def finish_padded(
        self,
        pictures: Sequence[Picture],
        call: Call,
        *,
        size: tuple[int, int] | None = None,
        value: float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Values of all pictures at the top left of one size, and a mask that is 1 where there are pixels.

        Args:
            size: (height, width) of the batch; the largest of the pictures when None.
            value: what the rest is filled with, after normalisation.
        """
        levels, order = self.levels(), call.order
        height, width = size or geometry.largest(picture.size for picture in pictures)
        check_area(height, width, "the padded image")
        dtype = np.result_type(*{levels.dtype(picture) for picture in pictures})
        channels = pictures[0].channels
        batch = np.full((len(pictures), channels, height, width), value, dtype=dtype)
        if order == LAST:
            batch = np.ascontiguousarray(batch.transpose(0, 2, 3, 1))
        mask = np.zeros((len(pictures), height, width), dtype=np.int64)

        def fill(entry: tuple[Picture, np.ndarray, np.ndarray]) -> None:
            picture, values, covered = entry
            rows, columns = picture.size
            if rows > height or columns > width or picture.channels != channels:
                raise ProcessingError(
                    f"{columns}x{rows} pixels of {picture.channels} channels do not fit into a batch of "
                    f"{width}x{height} of {channels}"
                )
            covered[:rows, :columns] = 1
            part = values[:, :rows, :columns] if order == FIRST else values[:rows, :columns]
            levels.into(picture, part, data_format=order)

        map_items(fill, list(zip(pictures, batch, mask, strict=True)), threads=call.threads)
        return batch, mask


class ImageProcessor(PicturePipeline, ImageProcessingMixin):
    """Pictures in, a batch of arrays out."""

    def __call__(self, images: Any, *args: Any, **kwargs: Any) -> BatchFeature:
        return self.preprocess(images, *args, **kwargs)

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare a batch.

        Args:
            images: PIL images, arrays, tensors, paths or bytes of image files; one, a list, nested lists,
                or a four-dimensional stack.
            **kwargs: ``return_tensors``, ``data_format``, ``input_data_format`` and ``threads`` (see
                ``Call``), and any field of this processor, for this call.

        Returns:
            ``pixel_values``: float32, (batch, channels, height, width).

        Raises:
            ProcessingError: an image that cannot be taken; the message begins with its place in the batch.
        """
        run, call = self.begin(kwargs)
        pictures = run.open_all(flat_list(images), call, run.arrange)
        return self.batch({"pixel_values": run.finish(pictures, call)}, call.return_tensors)


class StandardImageProcessor(ImageProcessor):
    """The fields that most processors have."""

    do_resize: bool = True
    size: Size = square(224)
    resample: int = BILINEAR
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    image_mean: list[float] = HALF
    image_std: list[float] = HALF


class CroppingImageProcessor(StandardImageProcessor):
    """The standard fields and a crop of the middle."""

    resample: int = BICUBIC
    do_center_crop: bool = True
    crop_size: Size = square(224)
