"""Video processors: frames sampled from videos, prepared as pictures, (videos, frames, 3, height, width)."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, VideoProcessingMixin
from zoo_vision.processing.base import (
    CLIP_MEAN,
    CLIP_STD,
    HALF,
    IMAGENET_MEAN,
    IMAGENET_STD,
    Call,
    PicturePipeline,
    shortest,
    square,
)
from zoo_vision.processing.frames import (
    VideoMetadata,
    check_count,
    decode_video,
    metadata_of,
    rate_of,
    spaced,
    videos_of,
)
from zoo_vision.processing.parallel import map_items, split
from zoo_vision.processing.patches import vision_patches
from zoo_vision.processing.picture import FIRST, Picture, flat_list
from zoo_vision.processing.resample import BICUBIC, BILINEAR, Size, resize_frame, smart_size, target_size


class VideoProcessor(PicturePipeline, VideoProcessingMixin):
    """Frames are sampled where asked for, and prepared as pictures."""

    model_input_names: ClassVar[list[str]] = ["pixel_values_videos"]
    output: ClassVar[str] = "pixel_values_videos"
    call_names: ClassVar[tuple[str, ...]] = (*PicturePipeline.call_names, "video_metadata", "return_metadata")
    do_resize: bool = True
    size: Size = square(224)
    resample: int = BICUBIC
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool | None = True
    do_sample_frames: bool | None = False
    fps: float | None = None
    num_frames: int | None = None

    def __call__(self, videos: Any, **kwargs: Any) -> BatchFeature:
        return self.preprocess(videos, **kwargs)

    def sample_frames(
        self, metadata: Any, num_frames: int | None = None, fps: float | None = None, **kwargs: Any
    ) -> np.ndarray:
        """Indices of the frames to keep: ``num_frames`` of them evenly spaced, or ``fps`` per second.

        Raises:
            ProcessingError: both are asked for, the video is shorter, or its own rate is not known.
        """
        wanted = self.frame_count(metadata, num_frames, fps)
        if wanted is None:
            return np.arange(metadata.total_num_frames)
        return spaced(metadata.total_num_frames, wanted)

    def frame_count(self, metadata: Any, num_frames: int | None, fps: float | None) -> int | None:
        """How many frames are kept; None for all."""
        if num_frames is not None and fps is not None:
            raise ProcessingError("num_frames and fps exclude each other; pass one")
        if num_frames is not None:
            return check_count(num_frames, metadata.total_num_frames)
        if fps is None:
            return None
        return check_count(
            int(metadata.total_num_frames / rate_of(metadata) * fps), metadata.total_num_frames
        )

    def preprocess(
        self,
        videos: Any,
        *,
        video_metadata: Any = None,
        return_metadata: bool = False,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch of videos.

        Args:
            videos: files, arrays (frames, height, width, 3) or (frames, 3, height, width), or lists of
                frames; one video or a list.
            video_metadata: per video its ``total_num_frames``, ``fps``, …; needed to sample by ``fps``.
            return_metadata: also return ``video_metadata``, with the indices of the kept frames.
            do_sample_frames, num_frames, fps: which frames to keep; see ``sample_frames``.

        Returns:
            ``pixel_values_videos`` (videos, frames, 3, height, width).

        Raises:
            ProcessingError: a video that cannot be taken; the message begins with its place in the batch.
        """
        run, call = self.begin(kwargs)
        given = videos_of(videos)
        known = video_metadata if isinstance(video_metadata, (list, tuple)) else [video_metadata] * len(given)
        if len(known) != len(given):
            raise ProcessingError(
                f"{len(given)} videos came with video_metadata for {len(known)}; give one each"
            )
        asked = {name: kwargs[name] for name in ("fps", "num_frames") if kwargs.get(name) is not None}

        def one(entry: tuple[Any, Any]) -> tuple[list[Any], VideoMetadata]:
            return run.frames(entry[0], entry[1], asked)

        opened = map_items(one, list(zip(given, known, strict=True)), threads=1, what="video")
        clips = [frames for frames, _ in opened]
        flat = [frame for frames in clips for frame in frames]
        pictures = run.open_all(flat, call, run.arrange)
        groups = split(pictures, [len(frames) for frames in clips])
        out = run.collect(groups, call)
        if return_metadata:
            out["video_metadata"] = [metadata for _, metadata in opened]
        return out

    def frames(self, video: Any, known: Any, asked: dict[str, Any]) -> tuple[list[Any], VideoMetadata]:
        """The kept frames of one video, and its metadata."""
        if isinstance(video, (str, os.PathLike)):
            frames, metadata = decode_video(video)
            metadata = metadata if known is None else metadata_of(known, len(frames))
        else:
            frames = flat_list(video)
            metadata = metadata_of(known, len(frames))
        metadata.frames_indices = list(range(len(frames)))
        if self.do_sample_frames:
            choice = asked or {"fps": self.fps, "num_frames": self.num_frames}
            kept = self.sample_frames(metadata, **choice)
            if len(kept) and int(kept.max()) >= len(frames):
                raise ProcessingError(
                    f"frame {int(kept.max())} is asked for and {len(frames)} frames were given; "
                    "total_num_frames must be the number of frames"
                )
            metadata.frames_indices = [int(index) for index in kept]
            frames = [frames[index] for index in metadata.frames_indices]
        return frames, metadata

    def resized(self, picture: Picture) -> Picture:
        return resize_frame(picture, target_size(picture.size, self.step("size")), self.resample)

    def collect(self, groups: Sequence[list[Picture]], call: Call) -> BatchFeature:
        """The outputs from the arranged frames of each video."""
        flat = [picture for group in groups for picture in group]
        values = self.finish(flat, call)
        clips = [np.asarray(clip) for clip in split(list(values), [len(group) for group in groups])]
        return BatchFeature({self.output: clips}, call.return_tensors)


class InstructBlipVideoVideoProcessor(VideoProcessor):
    model_input_names: ClassVar[list[str]] = ["pixel_values"]
    output = "pixel_values"
    size: Size = square(384)


class LlavaOnevisionVideoProcessor(VideoProcessor):
    size: Size = square(384)


class InternVLVideoProcessor(VideoProcessor):
    """The first frame lies half a step, or ``initial_shift`` frames, in."""

    size: Size = square(384)
    initial_shift: bool | float | int = True

    def sample_frames(
        self,
        metadata: Any,
        num_frames: int | None = None,
        fps: float | None = None,
        initial_shift: bool | float | int | None = None,
        **kwargs: Any,
    ) -> np.ndarray:
        total = metadata.total_num_frames
        count = self.frame_count(metadata, num_frames, fps) or total
        shift = self.initial_shift if initial_shift is None else initial_shift
        return spaced(total, count, total / count / 2 if shift is True else float(shift))


class LlavaNextVideoVideoProcessor(VideoProcessor):
    size: Size = shortest(224)
    do_center_crop: bool = True
    crop_size: Size = square(224)


class VideoLlavaVideoProcessor(LlavaNextVideoVideoProcessor):
    pass


class VJEPA2VideoProcessor(LlavaNextVideoVideoProcessor):
    size: Size = shortest(292)
    crop_size: Size = square(256)
    resample: int = BILINEAR
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD


class PerceptionLMVideoProcessor(VideoProcessor):
    size: Size = square(448)
    image_mean: list[float] = HALF
    image_std: list[float] = HALF


class Qwen2VLVideoProcessor(VideoProcessor):
    """Patches over two frames each; sides as multiples of the merged patch, the area bounded."""

    model_input_names: ClassVar[list[str]] = ["pixel_values_videos", "video_grid_thw"]
    size: Size = shortest(128 * 28 * 28, 28 * 28 * 768)
    min_pixels: int | None = None
    max_pixels: int | None = None
    patch_size: int = 14
    temporal_patch_size: int = 2
    merge_size: int = 2
    min_frames: int = 4
    max_frames: int = 768

    def bounds(self) -> tuple[int, int]:
        """Smallest and largest number of pixels."""
        low, high = getattr(self, "min_pixels", None), getattr(self, "max_pixels", None)
        return low or self.size["shortest_edge"], high or self.size["longest_edge"]

    def frame_count(self, metadata: Any, num_frames: int | None, fps: float | None) -> int | None:
        total, step = metadata.total_num_frames, self.temporal_patch_size
        if num_frames is not None and fps is None:
            return check_count(round(num_frames / step) * step, total)
        if fps is not None and num_frames is None:
            most = math.floor(min(self.max_frames, total) / step) * step
            wanted = total / rate_of(metadata) * fps
            wanted = min(max(wanted, self.min_frames), most, total)
            return check_count(math.floor(wanted / step) * step, total)
        return super().frame_count(metadata, num_frames, fps)

    def patched_size(self, size: tuple[int, int], frames: int) -> tuple[int, int]:
        """(height, width) that the frames are resampled to."""
        low, high = self.bounds()
        return smart_size(size, factor=self.patch_size * self.merge_size, min_pixels=low, max_pixels=high)

    def arrange(self, picture: Picture) -> Picture:
        # The size may depend on the number of frames, which ``collect`` knows.
        return picture

    def collect(self, groups: Sequence[list[Picture]], call: Call) -> BatchFeature:
        patches, grids = [], []
        for group in groups:
            if self.do_resize:
                size = self.patched_size(group[0].size, len(group))
                group = map_items(
                    lambda one, s=size: resize_frame(one, s, self.resample), group, threads=call.threads
                )
            values = np.asarray(self.finish(group, replace(call, data_format=FIRST)))
            side = self.patch_size * self.merge_size
            if values.ndim != 4 or values.shape[2] % side or values.shape[3] % side:
                raise ProcessingError(f"frames must share one size, a multiple of {side}; leave do_resize on")
            flat, grid = vision_patches(
                values, patch=self.patch_size, temporal=self.temporal_patch_size, merge=self.merge_size
            )
            patches.append(flat)
            grids.append(grid)
        data = {
            "pixel_values_videos": np.concatenate(patches),
            "video_grid_thw": np.asarray(grids, dtype=np.int64),
        }
        return BatchFeature(data, call.return_tensors)

    def get_num_of_video_patches(
        self, num_frames: int, height: int, width: int, videos_kwargs: dict[str, Any] | None = None
    ) -> int:
        """How many patches a video of this size becomes."""
        run = self.adjusted(dict(videos_kwargs or {}))
        tall, wide = run.patched_size((height, width), num_frames)
        time = -(-num_frames // run.temporal_patch_size)
        return time * (tall // run.patch_size) * (wide // run.patch_size)


class Qwen3VLVideoProcessor(Qwen2VLVideoProcessor):
    """The area is bounded over all frames; the first and the last frame are always kept."""

    size: Size = shortest(128 * 32 * 32, 32 * 32 * 768)
    min_pixels: ClassVar[None] = None  # type: ignore[misc]
    max_pixels: ClassVar[None] = None  # type: ignore[misc]
    patch_size: int = 16
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    do_sample_frames: bool | None = True
    fps: float | None = 2

    def sample_frames(
        self, metadata: Any, num_frames: int | None = None, fps: float | None = None, **kwargs: Any
    ) -> np.ndarray:
        if num_frames is not None and fps is not None:
            raise ProcessingError("num_frames and fps exclude each other; pass one")
        total = metadata.total_num_frames
        if num_frames is None:
            rate = getattr(metadata, "fps", None) or 24
            wanted = int(total / rate * (fps or self.fps or 2))
            num_frames = min(max(wanted, self.min_frames), self.max_frames, total)
        return np.linspace(0, total - 1, num_frames).round().astype(np.int64)

    def patched_size(self, size: tuple[int, int], frames: int) -> tuple[int, int]:
        low, high = self.bounds()
        return smart_size(
            size,
            factor=self.patch_size * self.merge_size,
            min_pixels=low,
            max_pixels=high,
            frames=frames,
            step=self.temporal_patch_size,
        )


class Glm4vVideoProcessor(Qwen3VLVideoProcessor):
    """Frames by time: one every ``1 / fps`` seconds, at most ``max_duration`` seconds' worth."""

    size: Size = shortest(112 * 112, 28 * 28 * 2 * 30000)
    max_image_size: Size = {"longest_edge": 28 * 28 * 2 * 30000}
    patch_size: int = 14
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    min_frames: ClassVar[int] = 1  # type: ignore[misc]
    max_frames: ClassVar[int] = 768  # type: ignore[misc]
    num_frames: int | None = 16
    max_duration: int = 300

    def sample_frames(
        self, metadata: Any, num_frames: int | None = None, fps: float | None = None, **kwargs: Any
    ) -> np.ndarray:
        rate, last = rate_of(metadata), metadata.total_num_frames - 1
        wanted = fps or self.fps or 2
        duration = getattr(metadata, "duration", None) or round(last / rate) + 1
        if duration <= self.max_duration:
            times = [index / wanted for index in range(int(duration * wanted))]
        else:
            count = int(self.max_duration * wanted)
            times = [index * duration / count for index in range(count)]
        kept = list(dict.fromkeys(min(last, math.ceil(time * rate)) for time in times))
        if len(kept) % 2:
            kept.append(kept[-1])
        return np.asarray(kept, dtype=np.int64)
