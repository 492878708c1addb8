"""Image processors that take frames of videos: (videos, frames, 3, height, width)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing.base import (
    CLIP_MEAN,
    CLIP_STD,
    Call,
    CroppingImageProcessor,
    ImageProcessor,
    StandardImageProcessor,
    shortest,
    square,
)
from zoo_vision.processing.levels import Levels
from zoo_vision.processing.parallel import split
from zoo_vision.processing.picture import FIRST, Picture, flat_list as frames_of
from zoo_vision.processing.resample import BICUBIC, BILINEAR, Size, resize, target_size


def clips_of(videos: Any) -> list[list[Any]]:
    """Videos as lists of frames: one frame, the frames of one video, or a list of videos."""
    if hasattr(videos, "ndim") and videos.ndim == 5:
        return [list(video) for video in videos]
    if isinstance(videos, (list, tuple)) and videos:
        first = videos[0]
        if isinstance(first, (list, tuple)) or getattr(first, "ndim", 3) == 4:
            return [frames_of(video) for video in videos]
    return [frames_of(videos)]


class ClipImageProcessor(ImageProcessor):
    """Every frame as a picture; the frames of a video stay together."""

    output: ClassVar[str] = "pixel_values"
    call_names: ClassVar[tuple[str, ...]] = (*ImageProcessor.call_names, "videos")

    def preprocess(
        self,
        videos: Any = None,
        *,
        images: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch of videos.

        Args:
            videos: the frames of one video, or a list of such; frames as in ``ImageProcessor.preprocess``.
            images: the same, under another name.

        Returns:
            (videos, frames, 3, height, width).

        Raises:
            ProcessingError: videos of differing numbers of frames cannot become one array.
        """
        given = images if videos is None else videos
        if given is None:
            raise ProcessingError(f"{type(self).__name__} was called without videos")
        run, call = self.begin(kwargs)
        clips = clips_of(given)
        flat = [frame for clip in clips for frame in clip]
        pictures = run.open_all(flat, call, run.arrange)
        values = run.finish(pictures, call)
        groups = split(list(values), [len(clip) for clip in clips])
        return run.collect(groups, call.return_tensors)

    def collect(self, groups: list[list[np.ndarray]], return_tensors: Any) -> BatchFeature:
        """The outputs from the values of each video's frames."""
        data: dict[str, Any] = {self.output: groups}
        if return_tensors is not None and len({len(group) for group in groups}) == 1:
            data[self.output] = [np.stack(group) for group in groups]
        return BatchFeature(data, return_tensors)


class VideoMAEImageProcessor(ClipImageProcessor, CroppingImageProcessor):
    size: Size = shortest(224)
    resample: int = BILINEAR


class VivitImageProcessor(ClipImageProcessor, CroppingImageProcessor):
    """``offset`` moves values to [-1, 1]."""

    size: Size = shortest(256)
    resample: int = BILINEAR
    rescale_factor: float = 1 / 127.5
    offset: bool = True

    def levels(self) -> Levels:
        return replace(super().levels(), offset=1.0 if self.offset and self.do_rescale else 0.0)


class InstructBlipVideoImageProcessor(ClipImageProcessor, StandardImageProcessor):
    size: Size = square(384)
    resample: int = BICUBIC
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool = True

    def collect(self, groups: list[list[np.ndarray]], return_tensors: Any) -> BatchFeature:
        if len({frame.shape for group in groups for frame in group}) == 1:
            return BatchFeature({self.output: [np.stack(group) for group in groups]}, return_tensors)
        return super().collect(groups, return_tensors)


class LlavaNextVideoImageProcessor(ClipImageProcessor, CroppingImageProcessor):
    model_input_names: ClassVar[list[str]] = ["pixel_values_videos"]
    output = "pixel_values_videos"
    size: Size = shortest(224)
    image_grid_pinpoints: list[list[int]] | None = None
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool = True


class TvltImageProcessor(ClipImageProcessor, CroppingImageProcessor):
    """At most ``num_frames`` frames, and a mask of the patches of those that there are."""

    model_input_names: ClassVar[list[str]] = [
        "pixel_values",
        "pixel_mask",
        "pixel_values_mixed",
        "pixel_mask_mixed",
    ]
    call_names: ClassVar[tuple[str, ...]] = (*ClipImageProcessor.call_names, "is_mixed")
    size_fields: ClassVar[tuple[str, ...]] = ("size", "crop_size")
    size: Size = shortest(224)
    resample: int = BILINEAR
    patch_size: list[int] = [16, 16]
    num_frames: int = 8

    def preprocess(self, videos: Any = None, *, is_mixed: bool = False, **kwargs: Any) -> BatchFeature:
        """As the base's; ``is_mixed`` names the outputs ``pixel_values_mixed`` and ``pixel_mask_mixed``."""
        out = super().preprocess(videos, **kwargs)
        if not is_mixed:
            return out
        return BatchFeature({f"{name}_mixed": value for name, value in out.items()})

    def collect(self, groups: list[list[np.ndarray]], return_tensors: Any) -> BatchFeature:
        for index, group in enumerate(groups):
            if len(group) > self.num_frames:
                raise ProcessingError(
                    f"video {index} has {len(group)} frames; at most num_frames={self.num_frames}"
                )
        patches = (self.crop_size["height"] // self.patch_size[0]) ** 2
        most = max(len(group) for group in groups)
        shape = groups[0][0].shape
        values = np.zeros((len(groups), most, *shape), dtype=np.float32)
        mask = np.zeros((len(groups), most * patches), dtype=np.int64)
        for index, group in enumerate(groups):
            values[index, : len(group)] = group
            mask[index, : len(group) * patches] = 1
        return BatchFeature({"pixel_values": values, "pixel_mask": mask}, return_tensors)


class TvpImageProcessor(ClipImageProcessor, CroppingImageProcessor):
    """Longest edge 448, padded to a square, blue first."""

    size: Size = {"longest_edge": 448}
    resample: int = BILINEAR
    crop_size: Size = square(448)
    do_pad: bool = True
    pad_size: Size = square(448)
    constant_values: float = 0
    pad_mode: str = "constant"
    do_flip_channel_order: bool = True

    def resized(self, picture: Picture) -> Picture:
        if "longest_edge" not in self.size:
            return resize(picture, target_size(picture.size, self.size), self.resample)
        limit = self.size["longest_edge"]
        height, width = picture.size
        ratio = height / width
        size = (limit, int(limit / ratio)) if height >= width else (int(limit * ratio), limit)
        return resize(picture, size, self.resample)

    def finish(self, pictures: Sequence[Picture], call: Call) -> np.ndarray | list[np.ndarray]:
        values = super().finish(pictures, call)
        if not self.do_pad:
            return values
        order, padded = call.order, []
        for one in values:
            place = 1 if order == FIRST else 0
            border = [(0, 0)] * 3
            for axis, side in ((place, self.pad_size["height"]), (place + 1, self.pad_size["width"])):
                border[axis] = (0, max(0, side - one.shape[axis]))
            filling: dict[str, Any] = (
                {"constant_values": self.constant_values} if self.pad_mode == "constant" else {}
            )
            padded.append(np.pad(one, border, mode=self.pad_mode, **filling))  # type: ignore[call-overload]
        return np.stack(padded)
