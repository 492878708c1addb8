"""Frames of videos: reading them from files, counting them, choosing among them."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from zoo_core.errors import MissingDependency, ProcessingError

MAX_FRAMES = 100_000


@dataclass(kw_only=True)
class VideoMetadata:
    """What is known of a video: how many frames, how fast, which of them were kept."""

    total_num_frames: int
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    video_backend: str | None = None
    frames_indices: list[int] | None = None


def metadata_of(given: Any, frames: int) -> VideoMetadata:
    """Metadata from an object, a dictionary or nothing."""
    if given is None:
        return VideoMetadata(total_num_frames=frames)
    names = [field.name for field in fields(VideoMetadata)]
    values = given if isinstance(given, dict) else {name: getattr(given, name, None) for name in names}
    known = {name: value for name, value in values.items() if name in names and value is not None}
    return VideoMetadata(**{"total_num_frames": frames, **known})


def decode_video(path: str | os.PathLike[str]) -> tuple[list[np.ndarray], VideoMetadata]:
    """Every frame of a video file as (height, width, 3) of uint8, and its metadata.

    Raises:
        MissingDependency: no decoder is installed.
        ProcessingError: no such file, or no video.
    """
    try:
        av: Any = importlib.import_module("av")
    except ImportError as error:
        raise MissingDependency(
            "reading video files needs PyAV: pip install 'zoo-vision[video]'; or pass the frames themselves"
        ) from error
    if not os.path.isfile(path):
        raise ProcessingError(f"there is no file {os.fspath(path)}")
    try:
        with av.open(os.fspath(path)) as container:
            stream = container.streams.video[0]
            frames = []
            for frame in container.decode(stream):
                if len(frames) == MAX_FRAMES:
                    raise ProcessingError(f"{os.fspath(path)} has more than {MAX_FRAMES:,} frames")
                frames.append(frame.to_ndarray(format="rgb24"))
            rate = float(stream.average_rate) if stream.average_rate else None
    except ProcessingError:
        raise
    except Exception as error:
        raise ProcessingError(f"{os.fspath(path)} is no video that can be decoded: {error}") from error
    if not frames:
        raise ProcessingError(f"{os.fspath(path)} has no frames")
    count = len(frames)
    return frames, VideoMetadata(
        total_num_frames=count,
        fps=rate,
        width=frames[0].shape[1],
        height=frames[0].shape[0],
        duration=count / rate if rate else None,
        video_backend="pyav",
    )


def videos_of(videos: Any) -> list[Any]:
    """One video or several as a list; a video is a file, an array of frames or a list of frames."""
    if isinstance(videos, (str, os.PathLike)):
        return [videos]
    if hasattr(videos, "ndim"):
        return list(videos) if videos.ndim == 5 else [videos]
    if not isinstance(videos, (list, tuple)) or not videos:
        raise ProcessingError(f"videos must be files, arrays or lists of frames; got {type(videos).__name__}")
    first = videos[0]
    if isinstance(first, (list, tuple)) and first and is_video(first[0]):
        return [video for group in videos for video in group]
    several = isinstance(first, (list, tuple, str, os.PathLike)) or getattr(first, "ndim", 3) == 4
    return list(videos) if several else [videos]


def is_video(item: Any) -> bool:
    """Whether an item of a list can be nothing but a video, not one of its frames."""
    return isinstance(item, (list, tuple)) or getattr(item, "ndim", 3) == 4


def check_count(wanted: int, total: int) -> int:
    """Refuse more frames than there are, or none."""
    if wanted > total:
        raise ProcessingError(
            f"{wanted} frames are asked for and the video has {total}; lower num_frames or fps"
        )
    if wanted < 1:
        raise ProcessingError(f"{wanted} frames would be kept of {total}; raise num_frames or fps")
    return int(wanted)


def rate_of(metadata: Any) -> float:
    """Frames per second of the video itself."""
    rate = getattr(metadata, "fps", None)
    if not rate or rate <= 0:
        raise ProcessingError("sampling by fps needs video_metadata with the video's own fps")
    return float(rate)


def spaced(total: int, count: int, start: float = 0.0) -> np.ndarray:
    """``count`` indices from ``start``, evenly spaced and rounded down."""
    return (start + np.arange(count) * (total / count)).astype(np.int64)
