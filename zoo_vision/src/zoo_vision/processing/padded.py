"""Image processors that keep the aspect ratio and pad: BridgeTower, ViLT, OWL, Swin2SR, Fuyu."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import boxes as found_boxes, geometry
from zoo_vision.processing.antialias import warp
from zoo_vision.processing.base import (
    CLIP_MEAN,
    CLIP_STD,
    Call,
    CroppingImageProcessor,
    ImageProcessor,
    StandardImageProcessor,
    format_name,
    shortest,
    square,
)
from zoo_vision.processing.picture import Picture, flat_list, samples_of
from zoo_vision.processing.resample import BICUBIC, BILINEAR, Size, resize, within

if TYPE_CHECKING:
    import torch


def floored(size: tuple[int, int], short: int, divisor: int) -> tuple[int, int]:
    """Shorter side ``short``, longer at most 1333/800 of it, both down to multiples of ``divisor`` (ViLT)."""
    long = int(1333 / 800 * short)
    scale = short / min(size)
    height, width = (short, scale * size[1]) if size[0] < size[1] else (scale * size[0], short)
    if max(height, width) > long:
        scale = long / max(height, width)
        height, width = height * scale, width * scale
    height, width = int(height + 0.5), int(width + 0.5)
    return height // divisor * divisor, width // divisor * divisor


class ViltImageProcessor(StandardImageProcessor):
    """Sides as multiples of ``size_divisor``; the batch is padded and comes with a mask."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "pixel_mask"]
    size: Size = shortest(384)
    size_divisor: int = 32
    resample: int = BICUBIC
    do_pad: bool = True

    def resized(self, picture: Picture) -> Picture:
        if "shortest_edge" not in self.size:
            raise ConfigError(f"size={self.size} must have shortest_edge")
        size = floored(picture.size, self.size["shortest_edge"], self.size_divisor)
        if min(size) < 1:
            raise ProcessingError(f"{picture.size[1]}x{picture.size[0]} pixels are too long and narrow")
        return resize(picture, size, self.resample)

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """As the base's, with ``pixel_mask`` (batch, height, width): 1 where there are pixels."""
        run, call = self.begin(kwargs)
        pictures = run.open_all(flat_list(images), call, run.arrange)
        if not run.do_pad:
            values: Any = run.finish(pictures, call)
            return self.batch({"pixel_values": values}, call.return_tensors)
        values, mask = run.finish_padded(pictures, call)
        data = {"pixel_values": values, "pixel_mask": mask}
        return self.batch(data, call.return_tensors, listed=("pixel_values", "pixel_mask"))


class BridgeTowerImageProcessor(ViltImageProcessor):
    size: Size = shortest(288)
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_center_crop: bool = True
    crop_size: Size | None = None

    def cropped(self, picture: Picture) -> Picture:
        side = self.size["shortest_edge"]
        wanted = self.crop_size or square(side)
        if "shortest_edge" in wanted:
            wanted = square(wanted["shortest_edge"])
        return geometry.center_crop(picture, wanted["height"], wanted["width"])


class Swin2SRImageProcessor(ImageProcessor):
    """Mirrored at the right and bottom up to the next multiple of ``size_divisor``."""

    renamed: ClassVar[dict[str, str]] = {"pad_size": "size_divisor"}
    size_fields: ClassVar[tuple[str, ...]] = ()
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_pad: bool = True
    size_divisor: int = 8

    def arrange(self, picture: Picture) -> Picture:
        if not self.do_pad:
            return picture
        divisor = self.size_divisor
        down, right = ((side // divisor + 1) * divisor - side for side in picture.size)
        return geometry.pad(picture, bottom=down, right=right, mode="symmetric")


class OwlViTImageProcessor(CroppingImageProcessor):
    size: Size = square(768)
    do_center_crop: bool = False
    crop_size: Size = square(768)
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    renamed: ClassVar[dict[str, str]] = {"rescale": "do_rescale"}

    def post_process_object_detection(
        self, outputs: Any, threshold: float = 0.1, target_sizes: Any = None
    ) -> list[dict[str, torch.Tensor]]:
        """Boxes above ``threshold``; per image ``scores``, ``labels`` and ``boxes`` as corners."""
        return found_boxes.best_class_detections(outputs, threshold, self.seen_sizes(target_sizes))

    def seen_sizes(self, target_sizes: Any) -> Any:
        """The sizes that relative boxes refer to."""
        return target_sizes

    def post_process_image_guided_detection(
        self, outputs: Any, threshold: float = 0.0, nms_threshold: float = 0.3, target_sizes: Any = None
    ) -> list[dict[str, torch.Tensor]]:
        """Boxes like the query image; per image ``scores``, ``boxes``, and ``labels`` as None.

        Args:
            outputs: ``logits`` (batch, boxes, 1) and ``target_pred_boxes`` (centre, size; relative).
            threshold: lowest score, after the best box of an image has been raised to about 1.
            nms_threshold: overlap above which the weaker of two boxes is dropped; 1 keeps all.
            target_sizes: (height, width) per image.
        """
        found_boxes.check_sizes(target_sizes, len(outputs.logits))
        scores = outputs.logits.max(-1).values.sigmoid()
        corners = found_boxes.corners(outputs.target_pred_boxes)
        if nms_threshold < 1.0:
            scores = scores.clone()
            for own, places in zip(scores, corners, strict=True):
                shared = found_boxes.overlaps(places, places)
                for index in own.argsort(descending=True):
                    if own[index]:
                        near = shared[index].clone()
                        near[index] = -1.0
                        own[near > nms_threshold] = 0.0
        places = found_boxes.to_pixels(corners, self.seen_sizes(target_sizes))
        found = []
        for own, where in zip(scores, places, strict=True):
            # From a tenth of the best score, which counts as nothing, up to the best, which counts as 1.
            least = own.max() * 0.1
            alphas = ((own - least) / (own.max() + 1e-6) / 0.9).clamp(0.0, 1.0)
            alphas[own < threshold] = 0.0
            visible = alphas > 0
            found.append({"scores": alphas[visible], "labels": None, "boxes": where[visible]})
        return found


class Owlv2ImageProcessor(OwlViTImageProcessor):
    """Padded to a square with grey, then brought to size with a smoothed linear interpolation."""

    size: Size = square(960)
    resample: int = BILINEAR
    do_pad: bool = True
    do_center_crop: ClassVar[bool] = False  # type: ignore[misc]
    crop_size: ClassVar[None] = None  # type: ignore[misc]

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """As the base's; ``resample`` is not used, the interpolation being linear."""
        run, call = self.begin(kwargs)
        levels, order = run.levels(), format_name(call.data_format)
        first, second = replace(levels, mean=None, std=None), replace(levels, factor=None)

        def one(picture: Picture) -> np.ndarray:
            values = first.apply(picture, data_format="channels_last")
            if run.do_pad:
                side = max(picture.size)
                grey = np.full((side, side, values.shape[2]), 0.5, dtype=values.dtype)
                grey[: values.shape[0], : values.shape[1]] = values
                values = grey
            if run.do_resize:
                values = warp(values, (run.size["height"], run.size["width"])).astype(np.float32)
            return second.apply(Picture(values), data_format=order)

        found = run.open_all(flat_list(images), call, one)
        return self.batch({"pixel_values": found}, call.return_tensors)

    def seen_sizes(self, target_sizes: Any) -> Any:
        """Boxes are relative to the padded square."""
        if target_sizes is None:
            return None
        return [(max(size), max(size)) for size in found_boxes.rows(target_sizes)]


class FuyuImageProcessor(StandardImageProcessor):
    """Pictures larger than ``size`` shrink into it; all are padded to it at the right and bottom."""

    model_input_names: ClassVar[list[str]] = [
        "images",
        "image_input_ids",
        "image_patches",
        "image_patch_indices_per_batch",
        "image_patch_indices_per_subsequence",
    ]
    size_fields: ClassVar[tuple[str, ...]] = ("size", "patch_size")
    size: Size = {"height": 1080, "width": 1920}
    do_pad: bool = True
    padding_value: float = 1.0
    padding_mode: str = "constant"
    image_mean: float = 0.5  # type: ignore[assignment]
    image_std: float = 0.5  # type: ignore[assignment]
    patch_size: Size = square(30)

    def arrange(self, picture: Picture) -> Picture:
        height, width = self.size["height"], self.size["width"]
        if self.do_resize and (picture.size[0] > height or picture.size[1] > width):
            picture = resize(picture, within(picture.size, height, width), self.resample)
        return picture

    def on_canvas(self, picture: Picture) -> Picture:
        """The picture at the top left of a canvas of ``size``."""
        down, right = self.size["height"] - picture.size[0], self.size["width"] - picture.size[1]
        return geometry.pad(
            picture, bottom=down, right=right, value=self.padding_value, mode=self.padding_mode
        )

    def preprocess(
        self,
        images: Any,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch of one picture per sample.

        Returns:
            Per sample a list of one: ``images`` (3, height, width), ``image_unpadded_heights``,
            ``image_unpadded_widths`` and ``image_scale_factors``.
        """
        run, call = self.begin(kwargs)
        samples = samples_of(images)
        for index, sample in enumerate(samples):
            if len(sample) != 1:
                raise ProcessingError(f"sample {index} has {len(sample)} images; Fuyu takes one per sample")

        def one(picture: Picture) -> tuple[Picture, tuple[int, int], float]:
            small = run.arrange(picture)
            page = run.on_canvas(small) if run.do_pad else small
            return page, small.size, small.size[0] / picture.size[0]

        done = run.open_all([sample[0] for sample in samples], call, one)
        values = run.finish([page for page, _, _ in done], call)
        lists: dict[str, list[Any]] = {
            "images": list(values),
            "image_unpadded_heights": [size[0] for _, size, _ in done],
            "image_unpadded_widths": [size[1] for _, size, _ in done],
            "image_scale_factors": [scale for _, _, scale in done],
        }
        if call.return_tensors is not None:
            lists["image_scale_factors"] = [np.float32(scale) for _, _, scale in done]
            lists = {name: [as_array(one, call) for one in values] for name, values in lists.items()}
        return BatchFeature({name: [[one] for one in values] for name, values in lists.items()})


def as_array(value: Any, call: Call) -> Any:
    """One value as an array or tensor."""
    return BatchFeature({"value": value}, call.return_tensors)["value"]
