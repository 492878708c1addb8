"""Image processors of dense prediction: label maps in training, maps of classes or depths afterwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import annotations as targets, segments
from zoo_vision.processing.base import (
    HALF,
    IMAGENET_MEAN,
    IMAGENET_STD,
    Call,
    CroppingImageProcessor,
    ImageProcessor,
    StandardImageProcessor,
    shortest,
    square,
)
from zoo_vision.processing.boxes import check_sizes, rows
from zoo_vision.processing.picture import FIRST, Picture, flat_list
from zoo_vision.processing.resample import BICUBIC, BILINEAR, NEAREST, Size, resize

if TYPE_CHECKING:
    import torch


class LabelMaps(ImageProcessor):
    """Label maps follow the pictures through resizing and cropping; logits become class maps."""

    call_names: ClassVar[tuple[str, ...]] = (*ImageProcessor.call_names, "segmentation_maps")
    renamed: ClassVar[dict[str, str]] = {"reduce_labels": "do_reduce_labels"}
    label_filter: ClassVar[int | None] = NEAREST
    """The filter for label maps; None takes ``resample`` as for pictures."""

    def preprocess(
        self,
        images: Any,
        segmentation_maps: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch, and its label maps where given.

        Args:
            images: see ``ImageProcessor.preprocess``.
            segmentation_maps: per image one class number per pixel.

        Returns:
            ``pixel_values`` and, with maps, ``labels``: int64, (batch, height, width).
        """
        out = super().preprocess(images, **kwargs)
        if segmentation_maps is not None:
            count = len(flat_list(images))
            maps = segmentation_maps if isinstance(segmentation_maps, (list, tuple)) else [segmentation_maps]
            if len(maps) == 1 and getattr(maps[0], "ndim", 2) == 3 and len(maps[0]) == count > 1:
                maps = list(maps[0])
            if len(maps) != count:
                raise ProcessingError(
                    f"{count} images came with {len(maps)} segmentation maps; give one per image"
                )
            run, call = self.begin(kwargs)
            if self.label_filter is not None:
                run = run.adjusted({"resample": self.label_filter})
            labels = [run.labelled(one) for one in maps]
            out["labels"] = BatchFeature({"labels": labels}, call.return_tensors)["labels"]
        return out

    def labelled(self, source: Any) -> np.ndarray:
        """One label map after the same moves as its picture."""
        picture = targets.label_map(source)
        if getattr(self, "do_reduce_labels", False):
            picture = Picture(targets.reduce_labels(picture.array().astype(np.uint8)))
        return self.arrange(picture).array()[:, :, 0].astype(np.int64)

    def reduce_label(self, label: Any) -> np.ndarray:
        """Class numbers one lower, with 0 as 255."""
        return targets.reduce_labels(np.asarray(label))

    def post_process_semantic_segmentation(
        self, outputs: Any, target_sizes: Any = None
    ) -> list[torch.Tensor]:
        """The class of every pixel, (height, width) per image.

        Args:
            outputs: ``logits`` (batch, classes, h, w).
            target_sizes: (height, width) per image to bring the logits to first.
        """
        return segments.semantic_maps(outputs.logits, target_sizes)


class BeitImageProcessor(LabelMaps, CroppingImageProcessor):
    label_filter = None
    size: Size = square(256)
    do_reduce_labels: bool = False


class MobileNetV2ImageProcessor(LabelMaps, CroppingImageProcessor):
    size: Size = shortest(256)
    resample: int = BILINEAR
    do_reduce_labels: bool = False


class SegformerImageProcessor(LabelMaps, StandardImageProcessor):
    size: Size = square(512)
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD
    do_reduce_labels: bool = False


class MobileViTImageProcessor(LabelMaps):
    do_resize: bool = True
    size: Size = shortest(224)
    resample: int = BILINEAR
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_center_crop: bool = True
    crop_size: Size = square(256)
    do_flip_channel_order: bool = True
    do_reduce_labels: bool = False


# Depth


def depth_maps(predicted: torch.Tensor, target_sizes: Any = None) -> list[dict[str, torch.Tensor]]:
    """``predicted_depth`` per image, (height, width), brought to ``target_sizes`` where given."""
    check_sizes(target_sizes, len(predicted))
    if target_sizes is None:
        return [{"predicted_depth": one} for one in predicted]
    sizes = rows(target_sizes)
    return [
        {"predicted_depth": segments.scaled(one, size, "bicubic")}
        for one, size in zip(predicted, sizes, strict=True)
    ]


class DepthMaps(ImageProcessor):
    """Depths as maps."""

    def post_process_depth_estimation(
        self, outputs: Any, target_sizes: Any = None
    ) -> list[dict[str, torch.Tensor]]:
        """The depth of every pixel.

        Args:
            outputs: ``predicted_depth`` (batch, h, w).
            target_sizes: (height, width) per image.

        Returns:
            Per image ``predicted_depth`` (height, width).
        """
        return depth_maps(outputs.predicted_depth, target_sizes)


def near_multiple(value: float, multiple: int, least: int = 0, most: int | None = None) -> int:
    """``value`` rounded to a multiple, down if that passes ``most``, up if it falls below ``least``."""
    found = round(value / multiple) * multiple
    if most is not None and found > most:
        found = math.floor(value / multiple) * multiple
    if found < least:
        found = math.ceil(value / multiple) * multiple
    return int(found)


def depth_size(
    size: tuple[int, int], wanted: Size, keep_aspect_ratio: bool, multiple: int
) -> tuple[int, int]:
    """(height, width) of the DPT family: the scale that changes the picture less, sides as multiples."""
    tall, wide = wanted["height"] / size[0], wanted["width"] / size[1]
    if keep_aspect_ratio:
        tall = wide = wide if abs(1 - wide) < abs(1 - tall) else tall
    return near_multiple(tall * size[0], multiple), near_multiple(wide * size[1], multiple)


class MultiplesImageProcessor(DepthMaps, StandardImageProcessor):
    """Sides as multiples, optionally keeping the aspect ratio."""

    size: Size = square(384)
    resample: int = BICUBIC
    keep_aspect_ratio: bool = False
    ensure_multiple_of: int = 1
    do_pad: bool = False
    size_divisor: int | None = None

    def resized(self, picture: Picture) -> Picture:
        if not {"height", "width"} <= set(self.size):
            raise ConfigError(f"size={self.size} must have height and width")
        size = depth_size(picture.size, self.size, self.keep_aspect_ratio, self.ensure_multiple_of)
        return resize(picture, size, self.resample)

    def finish(self, pictures: Sequence[Picture], call: Call) -> np.ndarray | list[np.ndarray]:
        values = super().finish(pictures, call)
        divisor = self.size_divisor
        if not self.do_pad or not divisor:
            return values
        padded = []
        for one in values:
            rows_at = 1 if call.order == FIRST else 0
            border = [(0, 0)] * 3
            for axis in (rows_at, rows_at + 1):
                missing = -one.shape[axis] % divisor
                border[axis] = (missing // 2, missing - missing // 2)
            padded.append(np.pad(one, border))
        return np.stack(padded) if len({one.shape for one in padded}) == 1 else padded


class PromptDepthAnythingImageProcessor(MultiplesImageProcessor):
    """A depth map may prompt the model."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "prompt_depth"]
    call_names: ClassVar[tuple[str, ...]] = (*ImageProcessor.call_names, "prompt_depth")
    prompt_scale_to_meter: float = 0.001

    def preprocess(self, images: Any, prompt_depth: Any = None, **kwargs: Any) -> BatchFeature:
        """Prepare a batch; ``prompt_depth`` holds one depth map (height, width) in millimetres per image."""
        out = super().preprocess(images, **kwargs)
        if prompt_depth is None:
            return out
        maps = [np.asarray(one, dtype=np.float32) for one in flat_list(prompt_depth)]
        if len(maps) != len(out["pixel_values"]):
            raise ProcessingError(
                f"{len(out['pixel_values'])} images came with {len(maps)} prompt_depth maps"
            )
        run = self.adjusted({"prompt_scale_to_meter": kwargs.get("prompt_scale_to_meter")})
        prompts = []
        for one in maps:
            metres = one.reshape(one.shape[-2:]).astype(np.float32) * run.prompt_scale_to_meter
            if metres.min() == metres.max():
                # A flat map would be normalised to nothing.
                metres[0, 0] += 1e-6
            prompts.append(metres[None].astype(np.float32))
        out["prompt_depth"] = BatchFeature({"maps": prompts}, kwargs.get("return_tensors"))["maps"]
        return out


class DPTImageProcessor(LabelMaps, MultiplesImageProcessor):
    label_filter = None
    do_reduce_labels: bool = False


class GLPNImageProcessor(DepthMaps):
    """Sides down to multiples of ``size_divisor``."""

    do_resize: bool = True
    size_divisor: int = 32
    resample: int = BILINEAR
    do_rescale: bool = True

    def resized(self, picture: Picture) -> Picture:
        height, width = (side - side % self.size_divisor for side in picture.size)
        return resize(picture, (height, width), self.resample)


class ZoeDepthImageProcessor(StandardImageProcessor):
    """Mirrored borders, then a plain linear interpolation to multiples of 32."""

    do_pad: bool = True
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    size: Size = {"height": 384, "width": 512}
    keep_aspect_ratio: bool = True
    ensure_multiple_of: int = 32

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """As the base's; ``resample`` is not used, the interpolation being linear between pixel corners."""
        run, call = self.begin(kwargs)
        levels = run.levels()
        first, second = replace(levels, mean=None, std=None), replace(levels, factor=None)

        def one(picture: Picture) -> np.ndarray:
            values = first.apply(picture, data_format="channels_last")
            if run.do_pad:
                down, across = mirrored(picture.size)
                values = np.pad(values, ((down, down), (across, across), (0, 0)), mode="reflect")
            if run.do_resize:
                height, width = values.shape[:2]
                size = depth_size((height, width), run.size, run.keep_aspect_ratio, run.ensure_multiple_of)
                for axis, length in enumerate(size):
                    values = between_corners(values, length, axis)
            return second.apply(Picture(values.astype(np.float32)), data_format=call.data_format)

        found = run.open_all(flat_list(images), call, one)
        return self.batch({"pixel_values": found}, call.return_tensors)

    def post_process_depth_estimation(
        self,
        outputs: Any,
        source_sizes: Any = None,
        target_sizes: Any = None,
        outputs_flipped: Any = None,
        do_remove_padding: bool | None = None,
    ) -> list[dict[str, torch.Tensor]]:
        """The depth of every pixel, without the mirrored borders.

        Args:
            outputs: ``predicted_depth`` (batch, h, w).
            source_sizes: (height, width) of each picture before it was padded.
            target_sizes: (height, width) per image to bring the depth to at last.
            outputs_flipped: the same for pictures flipped left to right; means are taken of both.
            do_remove_padding: by default as ``do_pad``.

        Returns:
            Per image ``predicted_depth`` (height, width).
        """
        unpad = self.do_pad if do_remove_padding is None else do_remove_padding
        depth = outputs.predicted_depth
        if unpad and source_sizes is None:
            raise ProcessingError(
                "pass source_sizes, (height, width) of each image, or do_remove_padding=False"
            )
        if outputs_flipped is not None:
            flipped = outputs_flipped.predicted_depth
            if flipped.shape != depth.shape:
                raise ProcessingError(
                    f"outputs are {tuple(depth.shape)} and outputs_flipped {tuple(flipped.shape)}; "
                    "both must be of the same images"
                )
            depth = (depth + flipped.flip(-1)) / 2
        check_sizes(source_sizes, len(depth))
        found = list(depth)
        if source_sizes is not None:
            found = [
                without_border(x, size, unpad) for x, size in zip(depth, rows(source_sizes), strict=True)
            ]
        check_sizes(target_sizes, len(depth))
        if target_sizes is not None:
            pairs = zip(found, rows(target_sizes), strict=True)
            found = [segments.scaled(x, size, "bicubic") for x, size in pairs]
        return [{"predicted_depth": one} for one in found]


class DepthProImageProcessor(StandardImageProcessor):
    """Levels first, then a plain linear interpolation, also where it makes pictures smaller."""

    size: Size = square(1536)
    image_mean: list[float] = HALF
    image_std: list[float] = HALF

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """As the base's; of ``resample``, only the name of the interpolation counts."""
        import torch

        run, call = self.begin(kwargs)
        levels = run.levels()

        def one(picture: Picture) -> np.ndarray:
            values = levels.apply(picture, data_format=FIRST).astype(np.float32)
            if run.do_resize:
                mode = {0: "nearest", 3: "bicubic"}.get(int(run.resample), "bilinear")
                size = (run.size["height"], run.size["width"])
                values = segments.scaled(torch.from_numpy(values), size, mode).numpy()
            return values if call.data_format == FIRST else values.transpose(1, 2, 0)

        found = run.open_all(flat_list(images), call, one)
        return self.batch({"pixel_values": found}, call.return_tensors)

    def post_process_depth_estimation(self, outputs: Any, target_sizes: Any = None) -> list[dict[str, Any]]:
        """The depth of every pixel in metres.

        Args:
            outputs: ``predicted_depth`` (batch, h, w), and where estimated ``field_of_view`` (batch,).
            target_sizes: (height, width) per image; with a field of view needed to know the scale.

        Returns:
            Per image ``predicted_depth`` (height, width), ``field_of_view`` in degrees and ``focal_length``
            in pixels of the width; the last two are None where they are not known.
        """
        import torch

        depth, angles = outputs.predicted_depth, outputs.field_of_view
        check_sizes(target_sizes, len(depth))
        sizes = [None] * len(depth) if target_sizes is None else rows(target_sizes)
        angles = [None] * len(depth) if angles is None else angles
        found = []
        for one, angle, size in zip(depth, angles, sizes, strict=True):
            focal = None
            if size is not None:
                if angle is not None:
                    focal = 0.5 * size[1] / torch.tan(0.5 * torch.deg2rad(angle))
                    one = one * size[1] / focal
                one = segments.scaled(one, size)
            metres = 1 / one.clamp(1e-4, 1e4)
            found.append({"predicted_depth": metres, "field_of_view": angle, "focal_length": focal})
        return found


def mirrored(size: tuple[int, int]) -> tuple[int, int]:
    """How much is mirrored above and below, and on the left and right, of a picture of (height, width)."""
    return int(math.sqrt(size[0] / 2) * 3), int(math.sqrt(size[1] / 2) * 3)


def without_border(depth: torch.Tensor, size: tuple[int, int], mirror: bool) -> torch.Tensor:
    """A map in the (height, width) of its picture, whose mirrored border is cut off."""
    height, width = size
    down, across = mirrored(size) if mirror else (0, 0)
    full = segments.scaled(depth, (height + 2 * down, width + 2 * across), "bicubic")
    return full[down : down + height, across : across + width]


def between_corners(values: np.ndarray, length: int, axis: int) -> np.ndarray:
    """Linear interpolation to ``length`` points along ``axis``, first and last pixels kept in place."""
    old = values.shape[axis]
    places = np.linspace(0, old - 1, length) if length > 1 else np.zeros(1)
    low = np.clip(np.floor(places).astype(np.int64), 0, old - 1)
    high = np.minimum(low + 1, old - 1)
    share = (places - low).reshape([-1 if axis == place else 1 for place in range(values.ndim)])
    return np.take(values, low, axis=axis) * (1 - share) + np.take(values, high, axis=axis) * share
