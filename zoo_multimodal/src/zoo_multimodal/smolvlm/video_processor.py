"""Video processor of SmolVLM2 (https://arxiv.org/abs/2504.05299): square frames, about one each second."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry
from zoo_vision.processing.base import HALF, Call
from zoo_vision.processing.frames import rate_of
from zoo_vision.processing.parallel import split
from zoo_vision.processing.picture import Picture
from zoo_vision.processing.resample import BICUBIC, LANCZOS, Size, resize_frame
from zoo_vision.processing.tiles_idefics import to_longest
from zoo_vision.processing.videos import VideoProcessor

LONGEST = 4096


class SmolVLMVideoProcessor(VideoProcessor):
    """Frames enlarged to `size`, then squeezed into squares of `max_image_size`.

    `video_sampling` has `fps`, `max_frames` and `video_size` of checkpoints that keep them apart from the
    settings for images.
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values", "pixel_attention_mask"]
    output = "pixel_values"
    size_fields: ClassVar[tuple[str, ...]] = ("size", "max_image_size")
    size: Size = {"longest_edge": 4 * 364}
    max_image_size: Size = {"longest_edge": 364}
    resample: int = LANCZOS
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    do_pad: bool = True
    video_sampling: dict[str, Any] | None = None

    def __init__(self, **values: Any) -> None:
        chosen = values.get("video_sampling")
        if chosen is not None:
            size = values.get("size", chosen["video_size"])
            values |= {"fps": chosen["fps"], "num_frames": chosen["max_frames"], "size": size}
            values["video_sampling"] = {**chosen, "video_size": size}
        super().__init__(**values)

    def sample_frames(
        self,
        metadata: Any,
        num_frames: int | None = None,
        fps: float | None = None,
        skip_secs: float = 1,
        **kwargs: Any,
    ) -> np.ndarray:
        """Indices of `fps` frames a second, at most `num_frames`, evenly spaced.

        The first and last `skip_secs` seconds are left out of a video that is longer than `num_frames` times
        `fps` without them.

        Raises:
            ProcessingError: a number is missing, or the video's own rate and duration are.
        """
        if num_frames is None or fps is None:
            raise ProcessingError("frames are sampled by num_frames and fps; pass both")
        rate, total = rate_of(metadata), metadata.total_num_frames
        duration = getattr(metadata, "duration", None)
        if duration is None:
            raise ProcessingError("sampling needs video_metadata with the video's own duration")
        count = max(min(round(fps * duration), num_frames), 1)
        first, last = 0, total - 1
        if skip_secs > 0 and duration - 2 * skip_secs > num_frames * fps:
            first, last = int(skip_secs * rate), min(int(total - skip_secs * rate), last)
        if first >= last:
            first, last = 0, total - 1
        return np.unique(np.linspace(first, last, count, dtype=np.int64))

    def resized(self, picture: Picture) -> Picture:
        # as released, frames know no Lanczos
        resample = BICUBIC if int(self.resample) == LANCZOS else self.resample
        size = self.step("size")
        if "longest_edge" in size:
            tall, wide = to_longest(picture.size, size["longest_edge"])
            if max(tall, wide) > LONGEST:
                tall, wide = to_longest((tall, wide), LONGEST)
        else:
            tall, wide = size["height"], size["width"]
        side = self.max_image_size["longest_edge"]
        return resize_frame(resize_frame(picture, (tall, wide), resample), (side, side), resample)

    def collect(self, groups: Sequence[list[Picture]], call: Call) -> BatchFeature:
        if not self.do_pad:
            return super().collect(groups, call)
        flat = [picture for group in groups for picture in group]
        values, mask = self.finish_padded(flat, call, size=geometry.largest(one.size for one in flat))
        counts = [len(group) for group in groups]
        clips = {"pixel_values": values, "pixel_attention_mask": mask}
        return BatchFeature(
            {name: [np.asarray(clip) for clip in split(list(part), counts)] for name, part in clips.items()},
            call.return_tensors,
        )
